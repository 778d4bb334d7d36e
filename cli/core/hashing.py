"""SHA-256 of data on its way, and of files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 20
"""Bytes that are read at once."""


class Hashed:
    """Hands pieces on, and has their size in bytes and their SHA-256 afterwards; `count` gets each piece's bytes."""

    def __init__(self, pieces: Iterable[bytes], count: Callable[[int], object] = lambda _: None) -> None:
        self._pieces = pieces
        self._count = count
        self._digest = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._digest.update(piece)
            self.size += len(piece)
            self._count(len(piece))
            yield piece

    @property
    def sha256(self) -> str:
        """The digest of the pieces so far, in hexadecimal."""
        return self._digest.hexdigest()


def chunks(file: BinaryIO, size: int | None = None) -> Iterator[bytes]:
    """Read a file from its position in chunks: to its end, or at most so many bytes."""
    left = CHUNK if size is None else size
    while left and (chunk := file.read(min(CHUNK, left))):
        yield chunk
        left -= 0 if size is None else len(chunk)


def file_sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def text_sha256(*parts: str) -> str:
    """Return the SHA-256, in hexadecimal, of texts that are joined by NUL."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
