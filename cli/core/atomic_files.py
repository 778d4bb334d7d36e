"""Files that are there whole or not at all: written under another name, synced to the disk, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from cli.core.errors import UserError

PRIVATE = 0o600
"""The mode of a file that only its owner reads."""

FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""The error numbers of a disk without space left, without any left for this user, or for a file of that size."""


def write_whole(path: Path, text: str) -> None:
    """Write a text file, making its folder; its mode stays, or follows the umask."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(text.encode())


@contextmanager
def replacing(path: Path, mode: int | None = None) -> Iterator[BinaryIO]:
    """Open a draft that takes the file's place when the block ends well; without a mode, the old one or the umask's."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with create_private(draft) as file:
            yield file
            os.fchmod(file.fileno(), _usual_mode(path) if mode is None else mode)
        sync(draft)
        rename(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def create_private(path: Path) -> BinaryIO:
    """Open a new file, which only its owner reads, to write; nothing may be there."""
    return open(path, "wb", opener=lambda name, flags: os.open(name, flags | os.O_EXCL, PRIVATE))


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner enters, with the missing ones above it, and return it."""
    for folder in reversed([path, *path.parents]):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
    return path


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Make a folder for work in progress beside its result, and remove it afterwards.

    Only one run at a time may use it for a parent: the folder of a killed run is removed first.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(".part-*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=".part-") as folder:
        yield type(parent)(folder)


def rename(source: Path, target: Path) -> None:
    """Rename a file or a folder within its parent, and sync the parent."""
    source.rename(target)
    sync(target.parent)


def sync(path: Path) -> None:
    """Bring a file's content, or a folder's entries, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def explain_full_disk(folder: Path, what: str) -> Iterator[None]:
    """Turn a full disk, while something is written to the folder, into a UserError."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL_DISK:
            raise
        raise UserError(
            f"There is no room left for {what}; nothing was changed.",
            cause=f"{folder}: {error.strerror}.",
            remedy="Free disk space there, and run the same command again. `./dashtam snapshot list` shows snapshots;"
            " `./dashtam snapshot delete ENVIRONMENT NAME` deletes one.",
        ) from None


def _usual_mode(path: Path) -> int:
    with suppress(FileNotFoundError):
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
