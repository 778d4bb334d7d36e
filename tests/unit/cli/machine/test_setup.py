from pathlib import Path

import pytest

from cli.core.paths import ROOT
from cli.engine.endpoint import Endpoint
from cli.machine import toolchain
from cli.machine.setup import tool_environment
from cli.machine.toolchain import Cli, Origin, Toolchain

VENV = str(ROOT / ".venv" / "bin")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = tmp_path / "cache"
    monkeypatch.setenv("DASHTAM_CACHE_HOME", str(cache))
    monkeypatch.setenv("PATH", f"/usr/bin:{VENV}:/bin")
    monkeypatch.setattr(toolchain, "account_home", lambda: Path("/home/somebody"))
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    monkeypatch.delenv("PULUMI_CREDENTIALS_PATH", raising=False)
    return cache


def built(cache: Path, key: str = "key") -> Toolchain:
    folder = cache / "toolchain" / key
    return Toolchain(Cli(Origin.BUILT, "3.259.0", folder / "bin/pulumi", folder / "bin"), Origin.BUILT, folder / "home")


def test_a_users_own_pulumi_keeps_its_home() -> None:
    own = Toolchain(Cli(Origin.PATH, "3.260.0", Path("/usr/bin/pulumi"), None), Origin.RELEASE, None)
    assert tool_environment(own, None) == {"PATH": f"{VENV}:/usr/bin:/bin", "PULUMI_SKIP_UPDATE_CHECK": "true"}


def test_a_built_one_comes_first_but_keeps_the_users_login(cache: Path) -> None:
    environment = tool_environment(built(cache), None)
    assert environment["PATH"] == f"{VENV}:{cache}/toolchain/key/bin:/usr/bin:/bin"
    assert environment["PULUMI_HOME"] == f"{cache}/toolchain/key/home"
    assert environment["PULUMI_CREDENTIALS_PATH"] == "/home/somebody/.pulumi"


def test_a_second_time_changes_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = tool_environment(built(cache), None)
    for name, value in first.items():
        monkeypatch.setenv(name, value)
    assert tool_environment(built(cache), None) == first


def test_an_older_toolchain_leaves_the_path(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in tool_environment(built(cache, "old"), None).items():
        monkeypatch.setenv(name, value)
    assert f"{cache}/toolchain/old" not in tool_environment(built(cache, "new"), None)["PATH"]


def test_the_engine_is_named(cache: Path) -> None:
    engine = Endpoint("unix:///run/other.sock", "context other", chosen=True)
    assert tool_environment(built(cache), engine)["DOCKER_HOST"] == "unix:///run/other.sock"
