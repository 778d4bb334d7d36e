from __future__ import annotations

import errno
import fcntl
import os
import shlex
from pathlib import Path

import pytest

from cli.core import translate_exception
from cli.core.errors import UserError
from cli.core.paths import ROOT
from cli.operations import clock_and_disk
from cli.ui.file_lock import exclusively


def explained(path: Path, number: int = errno.EACCES) -> UserError:
    found = translate_exception.explain(OSError(number, os.strerror(number), str(path)))
    assert found is not None
    return found


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DATA", "CACHE"):
        monkeypatch.setenv(f"DASHTAM_{name}_HOME", str(tmp_path / name))
    return tmp_path


@pytest.mark.parametrize(
    ("place", "remedy"),
    [
        ("DATA/clones/x/passphrase", "Set DASHTAM_DATA_HOME, where state"),
        ("CACHE/toolchain.lock", "Set DASHTAM_CACHE_HOME, where"),
        (ROOT / ".git/dashtam-clone.7", f"sudo chown -R $(id -u) {shlex.quote(str(ROOT))}"),
        (ROOT / ".build", f"sudo chown -R $(id -u) {shlex.quote(str(ROOT))}"),
        ("/etc/elsewhere/file", "ls -ld /etc/elsewhere/file"),
    ],
)
def test_the_remedy_is_the_places(homes: Path, place: str | Path, remedy: str) -> None:
    error = explained(homes / place)
    assert error.message == f"{homes / place} can't be used: Permission denied."
    assert remedy in error.remedy


def test_a_name_that_is_too_long_is_to_be_shorter(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=os.strerror(errno.ENAMETOOLONG)) as raised:
        (tmp_path / ("x" * 300)).touch()
    assert explained(Path(raised.value.filename), errno.ENAMETOOLONG).remedy == "Use a shorter name."


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_named(homes: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def flock(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(OSError, match=os.strerror(number)) as raised, exclusively(homes / "DATA/clones.lock"):
        pytest.fail("it was not locked")
    error = translate_exception.explain(raised.value)
    assert error is not None
    assert error.message == f"{homes}/DATA/clones.lock can't be locked: {os.strerror(number)}."
    assert "has no locks" in error.cause
    assert "Set DASHTAM_DATA_HOME" in error.remedy


def test_a_folder_below_a_file_is_named(homes: Path) -> None:
    (homes / "DATA").touch()
    with pytest.raises(OSError, match="Not a directory") as raised:
        clock_and_disk.require_writable(homes / "DATA/below/it")
    assert explained(Path(raised.value.filename), errno.ENOTDIR).cause == f"{homes}/DATA is not a folder."
