from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.machine import toolchain
from cli.machine.pulumi import find_cli, find_toolchain
from cli.machine.setup import require_toolchain
from cli.machine.toolchain import Origin, Versions, read_versions


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DASHTAM_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}/path:/usr/bin:/bin")
    monkeypatch.setattr(toolchain, "account_home", lambda: tmp_path / "home")
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    return tmp_path / "home" / ".pulumi"


@pytest.fixture
def versions() -> Versions:
    return read_versions()


def add_pulumi(folder: Path, version: str, *, count: Path | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    pulumi = folder / "pulumi"
    pulumi.write_text(f"#!/bin/sh\necho asked >> {count or '/dev/null'}\necho v{version}\n")
    pulumi.chmod(0o755)
    return pulumi


def add_programs(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in read_versions().programs:
        (folder / name).touch()


def add_plugins(home: Path) -> None:
    for name, version in read_versions().plugins:
        folder = home / "plugins" / f"resource-{name}-v{version}"
        folder.mkdir(parents=True)
        (folder / f"pulumi-resource-{name}").touch()


def test_a_fitting_cli_on_path_comes_first(tmp_path: Path, versions: Versions, home: Path) -> None:
    pulumi = add_pulumi(tmp_path / "path", "3.999.0")
    add_programs(versions.built / "bin")
    add_plugins(home)
    toolchain = find_toolchain(versions)
    assert toolchain is not None
    assert (toolchain.cli.origin, toolchain.cli.pulumi, toolchain.cli.version) == (Origin.PATH, pulumi, "3.999.0")
    assert (toolchain.cli.bin, toolchain.home) == (None, None)


@pytest.mark.parametrize("version", ["3.1.0", "4.0.0", "unknown"])
def test_one_that_does_not_fit_gives_way(tmp_path: Path, versions: Versions, version: str) -> None:
    add_pulumi(tmp_path / "path", version)
    add_programs(versions.built / "bin")
    cli = find_cli(versions)
    assert cli is not None
    assert cli.origin is Origin.BUILT


def test_its_version_is_asked_once(tmp_path: Path, versions: Versions) -> None:
    count = tmp_path / "count"
    add_pulumi(tmp_path / "path", "3.999.0", count=count)
    assert find_cli(versions) == find_cli(versions)
    assert count.read_text() == "asked\n"


def test_an_update_is_noticed(tmp_path: Path, versions: Versions) -> None:
    add_pulumi(tmp_path / "path", "3.999.0")
    find_cli(versions)
    add_pulumi(tmp_path / "path", "3.999.10")
    cli = find_cli(versions)
    assert cli is not None
    assert cli.version == "3.999.10"


def test_ours_on_path_is_not_taken_for_the_users(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    add_programs(versions.built / "bin")
    add_pulumi(versions.built / "bin", "3.999.0")
    monkeypatch.setenv("PATH", f"{versions.built}/bin:/usr/bin:/bin")
    cli = find_cli(versions)
    assert cli is not None
    assert cli.origin is Origin.BUILT


def test_a_release_comes_before_a_build(versions: Versions) -> None:
    add_programs(versions.release / "bin")
    add_programs(versions.built / "bin")
    add_plugins(versions.release_home)
    toolchain = find_toolchain(versions)
    assert toolchain is not None
    assert (toolchain.cli.origin, toolchain.home) == (Origin.RELEASE, versions.release_home)


def test_built_plugins_never_come_into_the_users_home(tmp_path: Path, versions: Versions) -> None:
    add_pulumi(tmp_path / "path", "3.999.0")
    add_plugins(versions.built_home)
    toolchain = find_toolchain(versions)
    assert toolchain is not None
    assert (toolchain.cli.origin, toolchain.plugins) == (Origin.PATH, Origin.BUILT)
    assert toolchain.home == versions.built_home


@pytest.mark.parametrize("name", read_versions().programs)
def test_a_missing_program_is_noticed(versions: Versions, name: str) -> None:
    add_programs(versions.built / "bin")
    add_plugins(versions.built_home)
    assert find_toolchain(versions) is not None
    (versions.built / "bin" / name).unlink()
    assert find_toolchain(versions) is None


def test_a_half_installed_plugin_is_noticed(versions: Versions) -> None:
    add_programs(versions.built / "bin")
    add_plugins(versions.built_home)
    name, version = versions.plugins[0]
    (versions.built_home / "plugins" / f"resource-{name}-v{version}.partial").touch()
    assert find_toolchain(versions) is None


def test_nothing_is_installed_against_the_users_will(versions: Versions) -> None:
    with pytest.raises(UserError, match="not installed, and nothing may be installed") as raised:
        require_toolchain(install=False)
    assert "without --no-install" in raised.value.remedy
    assert not versions.built.exists()


@pytest.mark.parametrize("before", ["nothing", "logs of many updates"])
def test_pulumi_of_this_project_logs_nothing(versions: Versions, before: str) -> None:
    add_programs(versions.built / "bin")
    add_plugins(versions.built_home)
    logs = versions.built_home / "logs"
    if before != "nothing":
        logs.mkdir()
        (logs / "dev-20261128T150000.log").write_text("{}")
    for _ in range(2):
        require_toolchain(install=False)
        assert logs.read_text() == ""


def test_a_users_own_pulumi_keeps_its_logs(tmp_path: Path, home: Path) -> None:
    add_pulumi(tmp_path / "path", "3.999.0")
    add_plugins(home)
    (home / "logs").mkdir()
    require_toolchain(install=False)
    assert (home / "logs").is_dir()
