from __future__ import annotations

import itertools
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from cli.engine.container import ContainerView
from cli.ui.console import err
from infra import identity
from infra.catalogue import ROOT
from tests.unit.cli.images_double import FakeEngine

HEALTHY = ContainerView(
    id="id-app",
    name="dashtam-test-app",
    component="app",
    owner="me",
    stack="test",
    state="running",
    health="healthy",
    exit_code=0,
    started="2026-01-02T03:04:05Z",
    ports={"8000/tcp": [8001]},
    image="dashtam/production:1",
    checks=((0, "ready"),),
)

INTERRUPTED = """
import os, pathlib, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    os.kill(os.getppid(), {number})
    signal.pause()
except KeyboardInterrupt:
    pathlib.Path("ended").touch()
"""
"""A program that sends a signal to what has started it, and ends well once it is interrupted itself."""

T = TypeVar("T")

MakeContainer = Callable[..., ContainerView]
MakeProgram = Callable[[str, str], Path]


@pytest.fixture
def container() -> MakeContainer:
    """Returns a healthy service's container, with what a test wants changed."""

    def make(**changes: object) -> ContainerView:
        return replace(HEALTHY, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def data_homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where each test may make a folder of its own; to make one for all of them takes a second of a run."""
    folder = tmp_path_factory.mktemp("data-homes")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def data_home(data_homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of what must not be lost, of this test alone; nothing leads to the state of this clone."""
    home = next(data_homes)
    for name in [one for one in os.environ if one.startswith(("PULUMI_", "DASHTAM_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DASHTAM_DATA_HOME", str(home))
    # The state of this checkout is elsewhere, which a command would refuse; its marker must stay as it is.
    of_any = identity.home
    monkeypatch.setattr(identity, "home", lambda root: str(home) if root == ROOT else of_any(root))
    return home


@pytest.fixture
def program(tmp_path: Path) -> MakeProgram:
    """Returns a folder with a program in it, written in shell."""

    def make(name: str, script: str) -> Path:
        folder = tmp_path / "programs"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return folder

    return make


@pytest.fixture(scope="session")
def first_commit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository that each test gets a copy of."""
    root = tmp_path_factory.mktemp("git") / "repository"
    root.mkdir()
    (root / ".gitattributes").write_text("Pulumi.*.yaml filter=dashtam-salt\n")
    (root / "Pulumi.dev.yaml").write_text("config:\n  dashtam:app: {}\n")
    with pytest.MonkeyPatch.context() as patch:
        set_author(patch)
        git(root, "init", "--quiet")
        shutil.rmtree(root / ".git/hooks")  # only samples
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "-m", "First")
    return root


@pytest.fixture
def repository(first_commit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository with one environment's config committed."""
    set_author(monkeypatch)
    return shutil.copytree(first_commit, tmp_path / "repository")


def set_author(patch: pytest.MonkeyPatch) -> None:
    """Have git use no config of this user, and an author of the tests' own."""
    patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for role in ("AUTHOR", "COMMITTER"):
        patch.setenv(f"GIT_{role}_NAME", "Test")
        patch.setenv(f"GIT_{role}_EMAIL", "test@example.invalid")


def git(root: Path, *arguments: str) -> str:
    """Run git, which must succeed."""
    return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True).stdout


def noticed(work: Callable[[], T]) -> tuple[T, list[str]]:
    """Do something; return its result and the lines that were printed to standard error meanwhile."""
    with err.capture() as captured:
        result = work()
    return result, captured.get().splitlines()


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def own_homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests away from this user's clones and caches."""
    monkeypatch.setenv("DASHTAM_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("DASHTAM_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("DASHTAM_IMAGE_SOURCE", raising=False)
