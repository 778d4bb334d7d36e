"""Recognises a file to be restored by its content: a backup, an archive of `pg_dump -Fc`, or plain SQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from cli.core.errors import UserError
from cli.core.hashing import Hashed, chunks
from cli.data.backups import archive, source, sql
from cli.data.backups.archive import Label
from cli.data.backups.source import Source
from cli.data.backups.sql import DumpError
from cli.environments.handle import EnvironmentHandle
from cli.ui.progress import Count

_TAR = 257, b"ustar"
_FOREIGN = {
    b"\x28\xb5\x2f\xfd": ("compressed with zstd", "zstd -dc FILE"),
    b"PK\x03\x04": ("a ZIP archive", "unzip -p FILE"),
}
"""By the first bytes of a file: what it is, and what prints it in a form that can be restored."""


@dataclass(frozen=True)
class Dump:
    """A file to be restored: the bytes that are loaded, and what is known of them without a server.

    Only `./dashtam backup` writes a label. Of an archive, only `pg_restore` can tell whether it makes the schema
    `public`.
    """

    source: Source
    size: int
    label: Label | None = None
    is_sql: bool = False
    makes_public: bool = False

    @property
    def name(self) -> str:
        """Its name for messages."""
        return self.source.name

    def pieces(self, count: Count = lambda _: None) -> Iterator[bytes]:
        """Read what is loaded; with a label, a UserError after the last piece if it isn't as it was written."""
        if self.label:
            yield from archive.read_archive(self.source, self.label, count)
            return
        self.source.file.seek(0)
        yield from Hashed(chunks(self.source.file), count)


@contextmanager
def recognised(environment: EnvironmentHandle, found: Source) -> Iterator[Dump]:
    """Find out what a file is; plain SQL is filtered into a file beside the clone's data."""
    head = found.head()
    if archive.is_ours(found.file):
        label = archive.read(found)
        yield Dump(found, label.size, label)
    elif head.startswith(archive.ARCHIVE):
        yield Dump(found, found.file.seek(0, os.SEEK_END))
    else:
        _require_readable(environment.name, found, head)
        makes_public: list[bool] = []
        with source.spool(
            environment.clone, found.name, lambda made: makes_public.append(_filter(found, made))
        ) as file:
            size = file.seek(0, os.SEEK_END)
            yield Dump(Source(found.name, file), size, is_sql=True, makes_public=makes_public[0])


def _require_readable(environment: str, found: Source, head: bytes) -> None:
    foreign = next((one for mark, one in _FOREIGN.items() if head.startswith(mark)), None)
    start, mark = _TAR
    if head[start:].startswith(mark):
        foreign = "a tar archive", "pg_restore -f - FILE"
    if foreign:
        what, command = foreign
        raise UserError(
            f"{found.name} is {what}; nothing was changed.",
            remedy=f"`{command} | ./dashtam restore {environment} - --yes`",
        )
    # A damaged archive of ours that has lost both its beginning and its end is not taken for a text either.
    if b"\0" in head:
        raise archive.damaged(found, "It is not a PostgreSQL dump: neither an archive of `pg_dump -Fc` nor a text.")


def _filter(found: Source, file: BinaryIO) -> bool:
    found.file.seek(0)
    try:
        return sql.filter_dump(found.file, file)
    except DumpError as error:
        raise UserError(
            f"{found.name} can't be loaded; nothing was changed.",
            cause=str(error),
            remedy="Make the dump with `pg_dump --format=custom` of one database.",
        ) from None
