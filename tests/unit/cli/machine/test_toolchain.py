import re
import shutil
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.core.paths import ROOT
from cli.machine.toolchain import fits, parse_version, read_versions


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "toolchain", tmp_path / "toolchain"))


def test_plugins_are_those_that_the_sdks_ask_for() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    pinned = dict(re.findall(r"pulumi-(\w+)==([\d.]+)", " ".join(groups["infra"])))
    assert dict(read_versions().plugins) == pinned


@pytest.mark.parametrize(("name", "version"), read_versions().plugins)
def test_built_plugins_call_themselves_what_the_lock_says(name: str, version: str) -> None:
    source = (ROOT / "toolchain/engine/cmd" / f"pulumi-resource-{name}" / "main.go").read_text()
    assert f'const version = "{version}"' in source


def test_the_built_cli_is_the_locked_version() -> None:
    versions = read_versions()
    engine = next(module for module in versions.modules if "pulumi" in module.programs)
    assert engine.ldflags.endswith(f"version.Version=v{versions.pulumi}")
    assert f"github.com/pulumi/pulumi/pkg/v3 v{versions.pulumi}" in (engine.folder / "go.mod").read_text()


@pytest.mark.parametrize("folder", ["engine", "langhost"])
def test_modules_ask_for_no_newer_go_than_the_lock(folder: str) -> None:
    assert f"\ngo {read_versions().go_minimum}\n" in (ROOT / "toolchain" / folder / "go.mod").read_text()


def test_programs_include_the_language_host_and_its_script() -> None:
    assert set(read_versions().programs) == {"pulumi", "pulumi-language-python", "pulumi-language-python-exec"}


@pytest.mark.parametrize("changed", ["lock.toml", "engine/go.sum", "engine/cmd/pulumi-resource-docker/main.go"])
def test_digest_follows_what_is_built(copied: Path, changed: str) -> None:
    before = read_versions(copied).digest
    with (copied / changed).open("a") as file:
        file.write("\n# changed\n")
    assert read_versions(copied).digest != before


def test_digest_ignores_the_place_and_the_documentation(copied: Path) -> None:
    (copied / "README.md").write_text("another text")
    (copied / "engine/.#shim.go").symlink_to("me@host.1:1")
    assert read_versions(copied).digest == read_versions().digest


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v3.259.0", (3, 259, 0)),
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("go1.27", (1, 27, 0)),
        ("v3.260.0-alpha.xdeadbee", (3, 260, 0)),
        ("devel", None),
        ("", None),
    ],
)
def test_parse(text: str, version: tuple[int, int, int] | None) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize(
    ("text", "minimum", "answer"),
    [
        ("v3.259.0", "3.259.0", True),
        ("v3.300.1", "3.259.0", True),
        ("v3.258.9", "3.259.0", False),
        ("v4.0.0", "3.259.0", False),
        ("v2.999.0", "3.259.0", False),
        ("go1.26", "1.26", True),
        ("go1.9.7", "1.26", False),
        ("", "1.26", False),
    ],
)
def test_fits(text: str, minimum: str, answer: bool) -> None:
    assert fits(text, minimum=minimum) is answer


number = st.integers(min_value=0, max_value=9999)


@given(number, number, number)
def test_every_version_fits_itself(major: int, minor: int, patch: int) -> None:
    version = f"{major}.{minor}.{patch}"
    assert parse_version(f"v{version}") == (major, minor, patch)
    assert fits(version, minimum=version)
