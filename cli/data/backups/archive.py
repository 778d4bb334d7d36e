"""A backup's file: an archive of `pg_dump -Fc`, and after it what tells whether each of its bytes is as it was written.

`pg_restore` reads such a file as it is: it doesn't look at what follows the archive.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from cli.core.errors import UserError
from cli.core.hashing import CHUNK
from cli.data.backups.source import Source
from cli.data.encryption import Sealed
from cli.ui.progress import Count

ARCHIVE = b"PGDMP"
"""How an archive of `pg_dump -Fc` begins."""

MAGIC = b"\ndashtam"
_LABEL = b'{"format":1,"environment":"'
_TAIL = 8192
_LENGTH = 4
_DIGEST = hashlib.sha256().digest_size
_END = _DIGEST + _LENGTH + len(MAGIC)


class Label(BaseModel):
    """What a backup says of itself.

    Args:
        format: The version of this form.
        environment: What it was made of.
        created: When it was begun.
        postgres: The major version of the server.
        size: Of the archive, in bytes.
        sha256: Of the archive, in hexadecimal.
        token_keys: The master keys of tokens, which only the clone that made it can open.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    environment: str
    created: datetime
    postgres: int
    size: int
    sha256: str
    token_keys: Sealed | None


def write(file: BinaryIO, archive: Iterable[bytes], label: Label, count: Count) -> Label:
    """Write a backup.

    Args:
        file: Where to.
        archive: What `pg_dump` writes.
        label: What it says of itself, but its size and digest.
        count: Told how many bytes more were written.

    Returns:
        What it says of itself.
    """
    digest, size = hashlib.sha256(), 0
    for piece in archive:
        file.write(piece)
        digest.update(piece)
        size += len(piece)
        count(len(piece))
    complete = label.model_copy(update={"size": size, "sha256": digest.hexdigest()})
    content = complete.model_dump_json().encode()
    file.write(content + hashlib.sha256(content).digest() + len(content).to_bytes(_LENGTH) + MAGIC)
    return complete


def is_ours(file: BinaryIO) -> bool:
    """Return whether a file is a backup of `./dashtam backup`, as far as it shows that; it may be damaged."""
    file.seek(0)
    is_archive = file.read(len(ARCHIVE)) == ARCHIVE
    file.seek(max(file.seek(0, os.SEEK_END) - _TAIL, 0))
    tail = file.read()
    return tail.endswith(MAGIC) or (is_archive and _LABEL in tail)


def read(source: Source) -> Label:
    """Read what a backup says of itself.

    Args:
        source: The backup.

    Raises:
        UserError: It is no backup, is cut short, or is not as it was written.
    """
    try:
        return _label(source.file)
    except ValidationError:
        raise UserError(
            f"{source.name} is a backup of another version of this tool; nothing was changed.",
            cause="What it says of itself has a form that this version doesn't know.",
            remedy="Use the version that made it.",
        ) from None
    except OSError as error:
        raise damaged(source, f"It can't be read: {error.strerror or error}.") from None
    except ValueError as error:
        raise damaged(source, str(error)) from None


def _label(file: BinaryIO) -> Label:
    whole = file.seek(0, os.SEEK_END)
    if whole < _END:
        raise ValueError("It is too short to be a backup of `./dashtam backup`.")
    file.seek(whole - _END)
    end = file.read(_END)
    length = int.from_bytes(end[_DIGEST : _DIGEST + _LENGTH])
    if not end.endswith(MAGIC) or length > whole - _END:
        raise ValueError("It doesn't end as a backup of `./dashtam backup` does: it is cut short, or something else.")
    file.seek(whole - _END - length)
    content = file.read(length)
    if hashlib.sha256(content).digest() != end[:_DIGEST]:
        raise ValueError("What it says of itself is not as it was written.")
    label = Label.model_validate_json(content)
    if label.size != whole - _END - length:
        raise ValueError(f"Its archive has {whole - _END - length} bytes instead of {label.size}.")
    return label


def checked(source: Source, label: Label, count: Count) -> Iterator[bytes]:
    """Read a backup's archive.

    Args:
        source: The backup.
        label: What it says of itself.
        count: Told how many bytes more were read.

    Yields:
        The archive in pieces.

    Raises:
        UserError: It can't be read, or was not as it was written; that is known after the last piece.
    """
    digest, left = hashlib.sha256(), label.size
    try:
        source.file.seek(0)
        while left and (piece := source.file.read(min(CHUNK, left))):
            digest.update(piece)
            left -= len(piece)
            count(len(piece))
            yield piece
    except OSError as error:
        raise damaged(source, f"It can't be read: {error.strerror or error}.") from None
    if digest.hexdigest() != label.sha256:
        raise damaged(source, "Its archive is not as it was written: the SHA-256 is another.")


def damaged(source: Source, cause: str) -> UserError:
    """Return the error for a backup that can't be trusted."""
    return UserError(
        f"{source.name} is damaged or no backup; nothing was changed.", cause=cause, remedy="Use another one."
    )
