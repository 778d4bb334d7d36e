"""A backup's file: an archive of `pg_dump -Fc`, followed by a label with which each of its bytes is verified.

`pg_restore` reads such a file: it ignores what follows the archive. The end of the file is: the label in JSON, its
SHA-256, its length in 4 bytes, and `MAGIC`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO, Literal

from pydantic import BaseModel, ValidationError

from cli.core.errors import UserError
from cli.core.hashing import Hashed, chunks
from cli.data.backups.source import Source
from cli.data.sealed_secrets import Sealed
from cli.ui.progress import Count

ARCHIVE = b"PGDMP"
"""The first bytes of an archive of `pg_dump -Fc`."""

MAGIC = b"\ndashtam"
_LABEL = b'{"format":1,"environment":"'
_TAIL = 8192
_LENGTH = 4
_DIGEST = hashlib.sha256().digest_size
_END = _DIGEST + _LENGTH + len(MAGIC)


class Label(BaseModel, frozen=True, extra="forbid"):
    """A backup's label: its environment, the begin of the dump, the server's major version, and the archive's checksum.

    Only the clone that made the backup can unseal the master keys of tokens.
    """

    format: Literal[1] = 1
    environment: str
    created: datetime
    postgres: int
    size: int
    sha256: str
    token_keys: Sealed | None


def write(file: BinaryIO, archive: Iterable[bytes], label: Label, count: Count) -> Label:
    """Write a backup; return its label, completed with the archive's size and digest."""
    content = Hashed(archive, count)
    file.writelines(content)
    complete = label.model_copy(update={"size": content.size, "sha256": content.sha256})
    written = complete.model_dump_json().encode()
    file.write(written + hashlib.sha256(written).digest() + len(written).to_bytes(_LENGTH) + MAGIC)
    return complete


def is_ours(file: BinaryIO) -> bool:
    """Return whether a file looks like a backup of `./dashtam backup`, though it may be damaged."""
    file.seek(0)
    is_archive = file.read(len(ARCHIVE)) == ARCHIVE
    file.seek(max(file.seek(0, os.SEEK_END) - _TAIL, 0))
    tail = file.read()
    return tail.endswith(MAGIC) or (is_archive and _LABEL in tail)


def read(source: Source) -> Label:
    """Read a backup's label; a UserError if it isn't a backup, is cut short, damaged, or of another version."""
    try:
        return _label(source.file)
    except ValidationError:
        raise UserError(
            f"{source.name} is a backup of another version of this tool; nothing was changed.",
            cause="Its label has a format that this version does not support.",
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
        raise ValueError("Its label is not as it was written.")
    label = Label.model_validate_json(content)
    if label.size != whole - _END - length:
        raise ValueError(f"Its archive has {whole - _END - length} bytes instead of {label.size}.")
    return label


def read_archive(source: Source, label: Label, count: Count) -> Iterator[bytes]:
    """Read a backup's archive in chunks; a UserError, after the last one, if it isn't as it was written."""
    try:
        source.file.seek(0)
        content = Hashed(chunks(source.file, label.size), count)
        yield from content
    except OSError as error:
        raise damaged(source, f"It can't be read: {error.strerror or error}.") from None
    if content.sha256 != label.sha256:
        raise damaged(source, "Its archive is not as it was written: its SHA-256 differs.")


def damaged(source: Source, cause: str) -> UserError:
    """Return the error for a backup that can't be trusted."""
    return UserError(
        f"{source.name} is damaged, or not a backup; nothing was changed.", cause=cause, remedy="Use another one."
    )
