"""A backup to read from: a file, or what comes in on standard input."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from cli.clone import Clone
from cli.errors import UserError
from cli.output_files import STREAM
from cli.snapshots import durable


@dataclass(frozen=True)
class Source:
    """A backup that can be read more than once.

    Args:
        name: What it is called in messages.
        file: Its content.
    """

    name: str
    file: BinaryIO


@contextmanager
def opened(clone: Clone, file: str) -> Iterator[Source]:
    """Open a backup.

    Args:
        clone: This clone, beside whose data standard input is kept meanwhile.
        file: Its path, or `-`.

    Yields:
        The backup.

    Raises:
        UserError: It can't be read, or there is no room to keep it.
    """
    with _spooled(clone) if file == STREAM else _at(Path(file)) as content:
        yield Source("standard input" if file == STREAM else Path(file).name, content)


def _at(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise UserError(
            f"{path} can't be read.",
            cause=str(error.strerror),
            remedy="Name a file that `./dashtam backup` wrote.",
            exit_status=2,
        ) from None


@contextmanager
def _spooled(clone: Clone) -> Iterator[BinaryIO]:
    folder = durable.folder(clone.home / "restoring")
    # It has no name that another command could meet, and is gone when this one ends, however it ends.
    with TemporaryFile(dir=folder) as file:
        with durable.told_if_full(folder, "the backup from standard input"):
            shutil.copyfileobj(sys.stdin.buffer, file, durable.CHUNK)
            file.flush()
        yield file
