"""Exceptions that any command can meet, as errors with a cause and a remedy."""

from __future__ import annotations

import errno
import os
import shlex
import sys
import tempfile
from pathlib import Path

from cli.core import remedies
from cli.core.atomic_files import FULL_DISK
from cli.core.errors import UserError
from cli.core.paths import ROOT, cache_home, data_home

WITHOUT_LOCKS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS})
"""The error numbers of a file system that has no locks, as some network file systems don't."""


def explain(error: Exception) -> UserError | None:
    """Return the error to show; None where the exception is a mistake in this program."""
    if _is(error, "docker.errors", "DockerException") or _is(error, "docker.credentials.errors", "StoreError"):
        return UserError(
            "The Docker engine refused.",
            cause=str(error),
            remedy=remedies.known(str(error)) or "Run `./dashtam doctor` for details.",
        )
    if _is(error, "cli.engine.streams", "CommandError"):
        return UserError(
            "A command in a container failed.",
            cause=str(error),
            remedy=remedies.known(str(error))
            or "`./dashtam logs` and `./dashtam doctor` show details. The same command continues from here.",
        )
    if _is_lost_connection(error):
        return UserError(
            "The Docker engine stopped answering.",
            cause=str(error),
            remedy="Start it again and run the same command, which continues from here. `./dashtam doctor` shows"
            " details.",
        )
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        return UserError(
            "A disk of this machine is full.",
            cause=str(error),
            remedy="Free space on the disk that `df -h` shows as full. The same command continues from here.",
        )
    if isinstance(error, OSError) and error.filename is not None:
        return _of_file(error)
    return None


def _is_lost_connection(error: Exception) -> bool:
    if _is(error, "requests", "RequestException") or _is(error, "urllib3.exceptions", "HTTPError"):
        return True
    return isinstance(error, ConnectionError) and "docker" in sys.modules


def _is(error: Exception, module: str, name: str) -> bool:
    # These modules are slow to import; where one of them has raised the error, it is imported.
    return module in sys.modules and isinstance(error, getattr(sys.modules[module], name))


def _of_file(error: OSError) -> UserError:
    """Return the error for a system call that named a file: with its place, the reason and the remedy."""
    path = Path(os.fsdecode(error.filename))
    locks = error.errno in WITHOUT_LOCKS
    return UserError(
        f"{path} can't be {'locked' if locks else 'used'}: {error.strerror}.",
        cause=_cause(path, locks=locks),
        remedy="Use a shorter name." if error.errno == errno.ENAMETOOLONG else _remedy(path),
    )


def _cause(path: Path, *, locks: bool) -> str:
    if locks:
        return "Its file system has no locks, which keep two commands from changing the same at once."
    there = next((one for one in (path, *path.parents) if os.path.lexists(one)), path)
    if not there.is_dir() and there != path:
        return f"{there} is not a folder."
    return ""


def _remedy(path: Path) -> str:
    for variable, folder, what in (
        ("DASHTAM_DATA_HOME", data_home(), "state and passphrases are"),
        ("DASHTAM_CACHE_HOME", cache_home(), "toolchain and downloads are"),
    ):
        if path.is_relative_to(folder) or folder.is_relative_to(path):
            return f"Set {variable}, where {what} kept, to a folder on a local disk that you may write to."
    if path.is_relative_to(ROOT):
        return f"Own the checkout: sudo chown -R $(id -u) {shlex.quote(str(ROOT))}; or run this as the user that does."
    if path.is_relative_to(tempfile.gettempdir()):
        return "Set TMPDIR to a folder on a local disk that you may write to."
    return f"See whose it is, and correct that: ls -ld {shlex.quote(str(path))}"
