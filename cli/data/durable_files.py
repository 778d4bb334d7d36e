"""Files that are there whole or not at all, and that only their owner reads."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cli.core.errors import UserError
from cli.core.translate_exception import FULL

CHUNK = 1 << 20
"""Bytes that are read at once."""

PRIVATE = 0o600


def folder(path: Path) -> Path:
    """Make a folder that only its owner enters, with those above it that are missing.

    Args:
        path: The folder.

    Returns:
        The folder.
    """
    for one in reversed([path, *path.parents]):
        if not one.exists():
            one.mkdir(mode=0o700, exist_ok=True)
    return path


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, PRIVATE)


def new(path: Path) -> BinaryIO:
    """Open a new file to write.

    Args:
        path: Where; nothing may be there.

    Returns:
        The file.
    """
    return open(path, "wb", opener=_private)


@contextmanager
def replaced(path: Path, mode: int = PRIVATE) -> Iterator[BinaryIO]:
    """Write a file under another name, and give it its own when it is complete and on the disk.

    Args:
        path: Where it is to be; what is there stays until the new one is complete.
        mode: Its rights, from when it is complete.

    Yields:
        The file.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with new(draft) as file:
            yield file
            os.fchmod(file.fileno(), mode)
        sync(draft)
        rename(draft, path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def told_if_full(folder: Path, what: str) -> Iterator[None]:
    """Tell of a disk that fills up while something is written to it.

    Args:
        folder: Where it is written.
        what: What that is, for the message.

    Raises:
        UserError: The disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise UserError(
            f"There is no room left for {what}; nothing was changed.",
            cause=f"{folder}: {error.strerror}.",
            remedy="Make room on its disk, for one with `./dashtam snapshot delete`, and run the same command again.",
        ) from None


def rename(source: Path, target: Path) -> None:
    """Rename a file or a folder, lastingly.

    Args:
        source: What; beside the target.
        target: Its new name.
    """
    source.rename(target)
    sync(target.parent)


def sync(path: Path) -> None:
    """Bring a file's content, or a folder's entries, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
