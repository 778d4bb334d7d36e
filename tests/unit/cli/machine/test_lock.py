import re
import shutil
import tomllib
from pathlib import Path

import pytest

from cli.core.paths import ROOT
from cli.machine.lock import read_lock


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "toolchain", tmp_path / "toolchain"))


def test_plugins_are_those_that_the_sdks_ask_for() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    pinned = dict(re.findall(r"pulumi-(\w+)==([\d.]+)", " ".join(groups["infra"])))
    assert dict(read_lock().plugins) == pinned


@pytest.mark.parametrize(("name", "version"), read_lock().plugins)
def test_built_plugins_call_themselves_what_the_lock_says(name: str, version: str) -> None:
    source = (ROOT / "toolchain/engine/cmd" / f"pulumi-resource-{name}" / "main.go").read_text()
    assert f'const version = "{version}"' in source


def test_the_built_cli_is_the_locked_version() -> None:
    lock = read_lock()
    engine = next(module for module in lock.modules if "pulumi" in module.programs)
    assert engine.ldflags.endswith(f"version.Version=v{lock.pulumi}")
    assert f"github.com/pulumi/pulumi/pkg/v3 v{lock.pulumi}" in (engine.folder / "go.mod").read_text()


@pytest.mark.parametrize("folder", ["engine", "langhost"])
def test_modules_ask_for_no_newer_go_than_the_lock(folder: str) -> None:
    assert f"\ngo {read_lock().go_minimum}\n" in (ROOT / "toolchain" / folder / "go.mod").read_text()


def test_programs_include_the_language_host_and_its_script() -> None:
    assert set(read_lock().programs) == {"pulumi", "pulumi-language-python", "pulumi-language-python-exec"}


@pytest.mark.parametrize("changed", ["lock.toml", "engine/go.sum", "engine/cmd/pulumi-resource-docker/main.go"])
def test_digest_follows_what_is_built(copied: Path, changed: str) -> None:
    before = read_lock(copied).digest()
    with (copied / changed).open("a") as file:
        file.write("\n# changed\n")
    assert read_lock(copied).digest() != before


def test_digest_ignores_the_place_and_the_documentation(copied: Path) -> None:
    (copied / "README.md").write_text("another text")
    assert read_lock(copied).digest() == read_lock().digest()
