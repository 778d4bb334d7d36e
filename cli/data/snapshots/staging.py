"""Copies a snapshot's data beside the old data, where nothing else is touched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from rich.filesize import decimal

from cli.core.errors import UserError
from cli.core.parallel import each
from cli.data.snapshots import manifest, store, volume_swap
from cli.data.snapshots.helper import VOLUME, Helper
from cli.data.snapshots.manifest import Manifest, Piece
from cli.engine import streams
from cli.engine.streams import CommandError, explain_failure
from cli.ui.progress import Count, transfer

_ROOM = "stat -c %d .; df -Pk . | tail -n 1"
"""The number of the file system, and its free KiB, fourth in the line."""


def stage(folder: Path, made: Manifest, helpers: Sequence[Helper]) -> None:
    """Copy a snapshot's data, with one helper per part, which may write; a UserError if there isn't enough room."""
    pieces = {one.part.service: made.pieces[manifest.archive(one.part.service)] for one in helpers}
    _require_room(pieces, helpers)
    with transfer(f"Bringing {made.name} back", made.size) as count:
        each(lambda one: _extract(folder, pieces[one.part.service], one, count), helpers)


def _require_room(pieces: dict[str, Piece], helpers: Sequence[Helper]) -> None:
    needed: dict[str, int] = defaultdict(lambda: store.RESERVE)
    free: dict[str, int] = {}
    for one in helpers:
        disk, line = one.script(_ROOM).split("\n", 1)
        needed[disk] += pieces[one.part.service].size
        free[disk] = int(line.split()[3]) * 1024
    for disk, size in needed.items():
        if free[disk] < size:
            raise _no_room(f"It needs {decimal(size)}, and {decimal(free[disk])} are free.")


def _extract(folder: Path, piece: Piece, one: Helper, count: Count) -> None:
    one.script(f"{volume_swap.DISCARD}; mkdir -m 0700 {volume_swap.STAGING}")
    # The content is checked a second time: a disk may have failed since.
    content = manifest.read_piece(folder, manifest.archive(one.part.service), piece, count)
    command = ["tar", "-xpf", "-", "-C", f"{VOLUME}/{volume_swap.STAGING}"]
    with explain_failure(
        f"The {one.part.service} data of the snapshot can't be unpacked; nothing was changed.",
        "`docker system df` shows whether there is room; `./dashtam doctor` checks the engine.",
        one.environment,
    ):
        try:
            streams.feed(one.client, one.id, command, content, piece.size)
        except CommandError as error:
            if "No space left" in error.output:
                raise _no_room(error.output) from None
            raise


def _no_room(cause: str) -> UserError:
    return UserError(
        "The engine has not enough room for the snapshot beside the old data; nothing was changed.",
        cause=cause,
        remedy="Make room: `docker system df` shows what takes it.",
    )
