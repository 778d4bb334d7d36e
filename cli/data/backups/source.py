"""A file to be restored from, or standard input: decompressed, and on the disk so that it can be read twice."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from cli.core import atomic_files
from cli.core.errors import UsageError, UserError
from cli.core.hashing import CHUNK, chunks
from cli.environments.clone import Clone
from cli.ui.output_files import STREAM

_COMPRESSED: dict[bytes, Callable[[BinaryIO], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
"""By the first bytes of a file."""


@dataclass(frozen=True)
class Source:
    """A file that can be read more than once, and its name for messages."""

    name: str
    file: BinaryIO

    def head(self) -> bytes:
        """Return the first bytes."""
        self.file.seek(0)
        return self.file.read(CHUNK)


@contextmanager
def opened(clone: Clone, file: str) -> Iterator[Source]:
    """Open a path, or `-`, decompressed; a UserError if it can't be read or if its compression is damaged."""
    name = "standard input" if file == STREAM else Path(file).name
    with ExitStack() as held:
        content = sys.stdin.buffer if file == STREAM else held.enter_context(_at(Path(file)))
        if file == STREAM or not stat.S_ISREG(os.fstat(content.fileno()).st_mode):
            once = content
            content = held.enter_context(spool(clone, name, lambda made: shutil.copyfileobj(once, made, CHUNK)))
        source = Source(name, content)
        yield Source(name, held.enter_context(_decompressed(clone, source)))


def require(file: str) -> None:
    """Make sure that a file can be read; a pipe is left as it is, since it can be opened only once."""
    if file != STREAM and not Path(file).is_fifo():
        _at(Path(file)).close()


@contextmanager
def spool(clone: Clone, name: str, fill: Callable[[BinaryIO], None]) -> Iterator[BinaryIO]:
    """Fill a file beside this clone's data; without a name in its folder, it vanishes with this process."""
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
        raise UsageError(
            f"{path} can't be read.",
            cause=str(error.strerror),
            remedy="Name a file that `./dashtam backup` or `pg_dump` wrote.",
        ) from None


@contextmanager
def _decompressed(clone: Clone, source: Source) -> Iterator[BinaryIO]:
    head = source.head()
    source.file.seek(0)
    opener = next((one for mark, one in _COMPRESSED.items() if head.startswith(mark)), None)
    if opener is None:
        yield source.file
        return
    with opener(source.file) as content:
        pieces = _explained(source.name, content)
        with spool(clone, source.name, lambda made: made.writelines(pieces)) as file:
            yield file


def _explained(name: str, content: BinaryIO) -> Iterator[bytes]:
    try:
        yield from chunks(content)
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise UserError(
            f"{name} is damaged; nothing was changed.",
            cause=f"It can't be decompressed: {error}.",
            remedy="Use another one.",
        ) from None
