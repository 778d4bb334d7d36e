"""A file or folder of this machine that can't be used, as an error with its place, the reason and the remedy."""

from __future__ import annotations

import errno
import os
import shlex
import tempfile
from pathlib import Path

from cli.core.errors import UserError
from cli.core.paths import ROOT, cache_home, data_home

WITHOUT_LOCKS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS})
"""The error numbers of a file system that has no locks, as some network file systems don't."""


def explain(error: OSError) -> UserError:
    """Return the error for a system call that named a file."""
    path = Path(os.fsdecode(error.filename))
    locks = error.errno in WITHOUT_LOCKS
    return UserError(
        f"{path} can't be {'locked' if locks else 'used'}: {error.strerror}.",
        cause=_cause(path, locks=locks),
        remedy="Use a shorter name." if error.errno == errno.ENAMETOOLONG else _remedy(path),
    )


def require_writable(folder: Path) -> None:
    """Make a folder with those above it, and raise the OSError of a write to it, before anything is changed."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not os.access(folder, os.W_OK | os.X_OK):
        number = errno.EROFS if os.statvfs(folder).f_flag & os.ST_RDONLY else errno.EACCES
        raise OSError(number, os.strerror(number), str(folder))


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
