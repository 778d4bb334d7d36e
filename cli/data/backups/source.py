"""A backup to read from: a file, or what comes in on standard input; decompressed where it is compressed."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO, cast

from cli.core import atomic_files
from cli.core.errors import USAGE, UserError
from cli.core.hashing import CHUNK
from cli.environments.clone import Clone
from cli.ui.output_files import STREAM


def _gunzip(file: BinaryIO) -> IO[bytes]:
    return cast("IO[bytes]", gzip.GzipFile(fileobj=file))


_COMPRESSED: dict[bytes, Callable[[BinaryIO], IO[bytes]]] = {
    b"\x1f\x8b": _gunzip,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
"""By how a file begins."""

_FAILURES = (EOFError, OSError, zlib.error, lzma.LZMAError)


@dataclass(frozen=True)
class Source:
    """A backup that can be read more than once.

    Args:
        name: What it is called in messages.
        file: Its content.
    """

    name: str
    file: BinaryIO

    def head(self) -> bytes:
        """Return how it begins."""
        self.file.seek(0)
        return self.file.read(CHUNK)


@contextmanager
def opened(clone: Clone, file: str) -> Iterator[Source]:
    """Open a backup.

    Args:
        clone: This clone, beside whose data is kept meanwhile what can't be read twice.
        file: Its path, or `-`.

    Yields:
        The backup, decompressed.

    Raises:
        UserError: It can't be read, its compression is damaged, or there is no room to keep it.
    """
    name = "standard input" if file == STREAM else Path(file).name
    with ExitStack() as held:
        content = sys.stdin.buffer if file == STREAM else held.enter_context(_at(Path(file)))
        if file == STREAM or not _is_regular(content):
            once = content
            content = held.enter_context(spool(clone, name, lambda made: shutil.copyfileobj(once, made, CHUNK)))
        source = Source(name, content)
        yield Source(name, held.enter_context(_decompressed(clone, source)))


@contextmanager
def spool(clone: Clone, name: str, fill: Callable[[BinaryIO], None]) -> Iterator[BinaryIO]:
    """Make a file beside this clone's data, for what a backup holds.

    Args:
        clone: This clone.
        name: The backup's name.
        fill: Writes what it holds.

    Yields:
        The file. It has no name that another command could meet, and is gone when this one ends, however it ends.

    Raises:
        UserError: There is no room.
    """
    folder = atomic_files.private_folder(clone.home / "restoring")
    with TemporaryFile(dir=folder) as file:
        with atomic_files.explain_full_disk(folder, f"the backup from {name}"):
            fill(file)
            file.flush()
        yield file


def _at(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise UserError(
            f"{path} can't be read.",
            cause=str(error.strerror),
            remedy="Name a file that `./dashtam backup` or `pg_dump` wrote.",
            exit_status=USAGE,
        ) from None


def _is_regular(file: BinaryIO) -> bool:
    return stat.S_ISREG(Path(f"/proc/self/fd/{file.fileno()}").stat().st_mode)


@contextmanager
def _decompressed(clone: Clone, source: Source) -> Iterator[BinaryIO]:
    head = source.head()
    source.file.seek(0)
    opener = next((one for mark, one in _COMPRESSED.items() if head.startswith(mark)), None)
    if opener is None:
        yield source.file
        return
    with opener(source.file) as content, spool(clone, source.name, lambda made: _copy(source, content, made)) as file:
        yield file


def _copy(source: Source, content: IO[bytes], file: BinaryIO) -> None:
    while True:
        try:
            piece = content.read(CHUNK)
        except _FAILURES as error:
            raise UserError(
                f"{source.name} is damaged; nothing was changed.",
                cause=f"It can't be decompressed: {error}.",
                remedy="Use another one.",
            ) from None
        if not piece:
            return
        file.write(piece)
