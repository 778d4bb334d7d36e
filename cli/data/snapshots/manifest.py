"""What a snapshot says of itself, and the check that each of its bytes is as it was written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from cli.core.errors import UserError
from cli.core.hashing import CHUNK
from cli.ui.progress import Count

FILE = "manifest.json"
CHECKSUM = "manifest.json.sha256"


class Piece(BaseModel):
    """A file of a snapshot.

    Args:
        size: In bytes.
        sha256: In hexadecimal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    sha256: str


class Manifest(BaseModel):
    """What a snapshot says of itself.

    Args:
        format: The version of this form.
        environment: Whose data it holds.
        name: Its name.
        created: When the data was as it is here.
        postgres: The major version of PostgreSQL that wrote the database.
        database: The database's name.
        user: Its owner.
        images: What the services ran, by service.
        pieces: Its files, by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

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
        """Bytes of all files that it tells of."""
        return sum(piece.size for piece in self.pieces.values())


def files(manifest: Manifest) -> Iterator[tuple[str, bytes]]:
    """Yield the manifest's own files, by name."""
    content = manifest.model_dump_json(indent=2).encode()
    yield FILE, content
    yield CHECKSUM, _line(content)


def read(folder: Path) -> Manifest:
    """Read a snapshot's manifest.

    Args:
        folder: The snapshot.

    Raises:
        UserError: It is not as it was written, or of another version.
    """
    try:
        content = (folder / FILE).read_bytes()
        if (folder / CHECKSUM).read_bytes() != _line(content):
            raise damaged(folder, f"{FILE} is not as it was written.")
        return Manifest.model_validate_json(content)
    except OSError as error:
        raise damaged(folder, f"{error.filename} can't be read: {error.strerror}.") from None
    except ValidationError:
        raise UserError(
            f"The snapshot {folder.name} is of another version of this tool.",
            cause=f"{folder / FILE} has a form that this version doesn't know.",
            remedy="Use the version that made it.",
        ) from None


def verify(folder: Path, manifest: Manifest, count: Count) -> None:
    """Make sure that a snapshot is as it was written, down to the last byte.

    Args:
        folder: The snapshot.
        manifest: What it says of itself.
        count: Told how many bytes more were looked at.

    Raises:
        UserError: It isn't.
    """
    if (there := {path.name for path in folder.iterdir()}) != {*manifest.pieces, FILE, CHECKSUM}:
        raise damaged(folder, f"It holds other files than it should: {', '.join(sorted(there))}.")
    for name, piece in manifest.pieces.items():
        if (size := (folder / name).stat().st_size) != piece.size:
            raise damaged(folder, f"{name} has {size} bytes instead of {piece.size}.")
    for name, piece in manifest.pieces.items():
        for _ in checked(folder, name, piece, count):
            pass


def checked(folder: Path, name: str, piece: Piece, count: Count) -> Iterator[bytes]:
    """Read a file of a snapshot.

    Args:
        folder: The snapshot.
        name: The file.
        piece: What it must be.
        count: Told how many bytes more were read.

    Yields:
        Its content in pieces.

    Raises:
        UserError: It was not what it must be; after the last piece.
    """
    digest = hashlib.sha256()
    try:
        with (folder / name).open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                count(len(chunk))
                yield chunk
    except OSError as error:
        raise damaged(folder, f"{name} can't be read: {error.strerror}.") from None
    if digest.hexdigest() != piece.sha256:
        raise damaged(folder, f"{name} is not as it was written: its SHA-256 is another.")


def damaged(folder: Path, cause: str) -> UserError:
    """Return the error for a snapshot that can't be trusted."""
    return UserError(
        f"The snapshot {folder.name} is damaged; nothing was changed.",
        cause=cause,
        remedy=f"Use another one: `./dashtam snapshot list {folder.parent.name}`.",
    )


def _line(content: bytes) -> bytes:
    return f"{hashlib.sha256(content).hexdigest()}\n".encode()
