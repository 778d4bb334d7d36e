"""A snapshot's manifest, and the check that each byte of the snapshot is as it was written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from cli.core import atomic_files
from cli.core.errors import UserError
from cli.core.hashing import Hashed, chunks
from cli.ui.progress import Count

FILE = "manifest.json"
CHECKSUM = "manifest.json.sha256"


class Piece(BaseModel, frozen=True, extra="forbid"):
    """A file of a snapshot: its size in bytes, its SHA-256 in hexadecimal."""

    size: int
    sha256: str


class Manifest(BaseModel, frozen=True, extra="forbid"):
    """What a snapshot holds: its creation time is that of the data, `postgres` the major version that wrote it.

    `images` are those that the services ran, by service; `pieces` are the snapshot's other files, by name.
    """

    format: Literal[1] = 1
    environment: str
    name: str
    created: datetime
    postgres: str
    database: str
    user: str
    images: dict[str, str]
    pieces: dict[str, Piece]

    @property
    def size(self) -> int:
        """Bytes of all pieces."""
        return sum(piece.size for piece in self.pieces.values())


def archive(service: str) -> str:
    """Return the name of the piece with a service's data, a tar archive."""
    return f"{service}.tar"


def write_piece(path: Path, content: Iterable[bytes], count: Count = lambda _: None) -> Piece:
    """Write a piece; it gives its size and digest for the manifest."""
    hashed = Hashed(content, count)
    with atomic_files.create_private(path) as file:
        file.writelines(hashed)
    return Piece(size=hashed.size, sha256=hashed.sha256)


def files(manifest: Manifest) -> Iterator[tuple[str, bytes]]:
    """Yield the manifest's own files, by name."""
    content = manifest.model_dump_json(indent=2).encode()
    yield FILE, content
    yield CHECKSUM, _line(content)


def read(folder: Path) -> Manifest:
    """Read a snapshot's manifest; a UserError if it is damaged or of another version."""
    try:
        content = (folder / FILE).read_bytes()
        if (folder / CHECKSUM).read_bytes() != _line(content):
            raise _damaged(folder, f"{FILE} is not as it was written.")
        return Manifest.model_validate_json(content)
    except OSError as error:
        raise _damaged(folder, f"{error.filename} can't be read: {error.strerror}.") from None
    except ValidationError:
        raise UserError(
            f"The snapshot {folder.name} is of another version of this tool.",
            cause=f"{folder / FILE} has a format that this version does not support.",
            remedy="Use the version that made it.",
        ) from None


def verify(folder: Path, manifest: Manifest, count: Count) -> None:
    """Make sure that a snapshot has the manifest's files, and each is as it was written."""
    if (found := {path.name for path in folder.iterdir()}) != {*manifest.pieces, FILE, CHECKSUM}:
        raise _damaged(folder, f"Its files are not those of its manifest: {', '.join(sorted(found))}.")
    for name, piece in manifest.pieces.items():
        if (size := (folder / name).stat().st_size) != piece.size:
            raise _damaged(folder, f"{name} has {size} bytes instead of {piece.size}.")
    for name, piece in manifest.pieces.items():
        for _ in read_piece(folder, name, piece, count):
            pass


def read_piece(folder: Path, name: str, piece: Piece, count: Count) -> Iterator[bytes]:
    """Read a piece in chunks; a UserError, after the last one, if it isn't as it was written."""
    try:
        with (folder / name).open("rb") as file:
            content = Hashed(chunks(file), count)
            yield from content
    except OSError as error:
        raise _damaged(folder, f"{name} can't be read: {error.strerror}.") from None
    if content.sha256 != piece.sha256:
        raise _damaged(folder, f"{name} is not as it was written: its SHA-256 differs.")


def _damaged(folder: Path, cause: str) -> UserError:
    return UserError(
        f"The snapshot {folder.name} is damaged; nothing was changed.",
        cause=cause,
        remedy=f"Use another one: `./dashtam snapshot list {folder.parent.name}`.",
    )


def _line(content: bytes) -> bytes:
    return f"{hashlib.sha256(content).hexdigest()}\n".encode()
