"""What a file to be restored is, told by its content: a backup, an archive of `pg_dump -Fc`, or plain SQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from cli.core.errors import UserError
from cli.core.hashing import CHUNK
from cli.data.backups import archive, source, sql
from cli.data.backups.archive import Label
from cli.data.backups.source import Source
from cli.data.backups.sql import DumpError, Filtered
from cli.environments.clone import Clone
from cli.ui.progress import Count

_TAR = 257, b"ustar"
_FOREIGN = {
    b"\x28\xb5\x2f\xfd": ("compressed with zstd", "zstd -dc FILE | ./dashtam restore ENVIRONMENT - --yes"),
    b"PK\x03\x04": ("a ZIP archive", "unzip -p FILE | ./dashtam restore ENVIRONMENT - --yes"),
}
"""By how a file begins: what it is, and how it comes in all the same."""


@dataclass(frozen=True)
class Dump:
    """A file to be restored, whose content is known as far as it can be without a server.

    Args:
        source: Where to read it, from its beginning.
        size: Of what is loaded, in bytes.
        label: What it says of itself; None for one that `./dashtam backup` didn't write.
        is_sql: Whether it is plain SQL rather than an archive.
        makes_public: Whether it makes the schema `public`; of an archive only `pg_restore` can tell.
    """

    source: Source
    size: int
    label: Label | None = None
    is_sql: bool = False
    makes_public: bool = False

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return self.source.name

    def pieces(self, count: Count = lambda _: None) -> Iterator[bytes]:
        """Read what is loaded.

        Args:
            count: Told how many bytes more were read.

        Yields:
            It in pieces.

        Raises:
            UserError: It is not as it was written, where it says how it was.
        """
        if self.label:
            yield from archive.checked(self.source, self.label, count)
            return
        self.source.file.seek(0)
        while piece := self.source.file.read(CHUNK):
            count(len(piece))
            yield piece


@contextmanager
def recognised(clone: Clone, found: Source) -> Iterator[Dump]:
    """Find out what a file is.

    Args:
        clone: This clone, beside whose data is kept meanwhile what is loaded of plain SQL.
        found: The file.

    Yields:
        What is to be loaded.

    Raises:
        UserError: It is damaged, or is nothing that can be loaded.
    """
    head = found.head()
    if archive.is_ours(found.file):
        label = archive.read(found)
        yield Dump(found, label.size, label)
    elif head.startswith(archive.ARCHIVE):
        yield Dump(found, found.file.seek(0, os.SEEK_END))
    else:
        _require_readable(found, head)
        known: list[Filtered] = []
        with source.spool(clone, found.name, lambda made: known.append(_filtered(found, made))) as file:
            size = file.seek(0, os.SEEK_END)
            yield Dump(Source(found.name, file), size, is_sql=True, makes_public=known[0].makes_public)


def _require_readable(found: Source, head: bytes) -> None:
    foreign = next((one for mark, one in _FOREIGN.items() if head.startswith(mark)), None)
    start, mark = _TAR
    if head[start:].startswith(mark):
        foreign = "a tar archive", "pg_restore -f - FILE | ./dashtam restore ENVIRONMENT - --yes"
    if foreign:
        what, remedy = foreign
        raise UserError(f"{found.name} is {what}; nothing was changed.", remedy=f"`{remedy}`")
    # A damaged archive of ours that has lost both its beginning and its end is not taken for a text either.
    if b"\0" in head:
        raise archive.damaged(found, "It is no dump of PostgreSQL: neither an archive of `pg_dump -Fc` nor a text.")


def _filtered(found: Source, file: BinaryIO) -> Filtered:
    found.file.seek(0)
    try:
        return sql.filtered(found.file, file)
    except DumpError as error:
        raise UserError(
            f"{found.name} can't be loaded; nothing was changed.",
            cause=str(error),
            remedy="Make the dump with `pg_dump --format=custom` of one database.",
        ) from None
