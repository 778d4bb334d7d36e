from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.pulumi import locks
from cli.pulumi.backend import Folder
from cli.pulumi.process import Pulumi
from cli.ui.console import err
from tests.unit.cli.conftest import MakeProgram, noticed


def _release(backend: Path) -> list[str]:
    _, said = noticed(lambda: locks.release_dead(Pulumi({"PULUMI_BACKEND_URL": backend.as_uri()}), "test"))
    return said


@pytest.fixture
def lock_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "locks" / ".pulumi/locks/organization/dashtam/test"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def backend(lock_folder: Path) -> Path:
    return lock_folder.parents[4]


@pytest.fixture
def dead() -> int:
    """The id of a process that has ended."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


@pytest.fixture
def living(program: MakeProgram) -> Iterator[int]:
    """The id of a process that is named like Pulumi and waits to be ended."""
    folder = program("pulumi", "read -r _")
    with subprocess.Popen([folder / "pulumi"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process.pid
        process.kill()


def _lock(folder: Path, pid: int, host: str | None = None) -> Path:
    path = folder / f"{pid}.json"
    path.write_text(json.dumps({"pid": pid, "hostname": host or socket.gethostname(), "username": "me"}))
    return path


def test_a_dead_process_holds_no_lock(lock_folder: Path, backend: Path, dead: int) -> None:
    path = _lock(lock_folder, dead)
    said = _release(backend)
    assert not path.exists()
    assert str(dead) in said[0]


def test_another_program_with_that_id_holds_no_lock(lock_folder: Path, backend: Path) -> None:
    # This process is no pulumi.
    path = _lock(lock_folder, os.getpid())
    _release(backend)
    assert not path.exists()


@pytest.mark.parametrize("content", ["", "{}", '{"pid": 1}', "{half"])
def test_a_lock_that_was_broken_off_is_removed(lock_folder: Path, backend: Path, content: str) -> None:
    (lock_folder / "broken.json").write_text(content)
    _release(backend)
    assert list(lock_folder.iterdir()) == []


def test_a_living_process_is_waited_for(
    lock_folder: Path, backend: Path, living: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _lock(lock_folder, living)
    monkeypatch.setattr(locks, "TIMEOUT", 0.3)
    with pytest.raises(UserError, match=str(living)) as raised:
        _release(backend)
    assert f"rm {path}" in raised.value.remedy
    assert path.exists()


def test_a_lock_of_another_machine_is_never_taken(
    lock_folder: Path, backend: Path, dead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _lock(lock_folder, dead, host="another-machine")
    monkeypatch.setattr(locks, "TIMEOUT", 0.3)
    with pytest.raises(UserError, match="another-machine"):
        _release(backend)
    assert path.exists()


def test_how_a_lock_of_another_name_is_released_is_told_at_once_and_works(
    lock_folder: Path, backend: Path, dead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As when the machine got its present name since.
    path = _lock(lock_folder, dead, host="former-name")
    said: list[str] = []

    def obey(line: str, **_: object) -> None:
        said.append(line)
        subprocess.run(line.rsplit(": ", 1)[1], shell=True, check=True)  # noqa: S602 - what the user is told to run

    monkeypatch.setattr(err, "print", obey)
    locks.release_dead(Pulumi({"PULUMI_BACKEND_URL": backend.as_uri()}), "test")
    assert len(said) == 1
    assert "former-name" in said[0]
    assert not path.exists()


def test_other_stacks_and_backends_have_no_locks_here(lock_folder: Path, backend: Path, dead: int) -> None:
    _lock(lock_folder, dead)
    folder = Folder(backend / ".pulumi")
    assert locks.found(folder, "dev") == []
    assert [lock.pid for lock in locks.found(folder, "test")] == [dead]
    locks.release_dead(Pulumi({"PULUMI_BACKEND_URL": "https://example.invalid"}), "test")
    assert [lock.pid for lock in locks.found(folder, "test")] == [dead]


def test_locks_of_a_backend_that_was_logged_in_to_are_found(
    lock_folder: Path, backend: Path, dead: int, tmp_path: Path
) -> None:
    path = _lock(lock_folder, dead)
    (tmp_path / "credentials.json").write_text(json.dumps({"current": f"file://./{backend.name}?no_tmp_dir=true"}))
    pulumi = Pulumi({"PULUMI_CREDENTIALS_PATH": str(tmp_path)}, backend.parent)
    locks.release_dead(pulumi, "test")
    assert not path.exists()


@pytest.mark.parametrize(("content", "stays"), [("", False), ('{"user.cont', False), ('{"md5": "bWQ1"}\n', True)])
@pytest.mark.parametrize("name", ["test.json.attrs", "test.json.bak.attrs"])
def test_attributes_that_were_broken_off_are_removed(backend: Path, name: str, content: str, stays: bool) -> None:
    folder = backend / ".pulumi/stacks/dashtam"
    folder.mkdir(parents=True)
    others = {"test.json": "{}", "other.json.attrs": "", "test-2.json.attrs": ""}
    for file, text in {**others, name: content}.items():
        (folder / file).write_text(text)
    assert _release(backend) == []
    assert {one.name for one in folder.iterdir()} == {*others, *([name] if stays else [])}
