"""Brings a snapshot's data beside the old, where nothing else is touched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from cli.core.errors import UserError
from cli.core.parallel import each
from cli.data.snapshots import manifest, store
from cli.data.snapshots import volume_swap as swap
from cli.data.snapshots.helper import VOLUME, Helper
from cli.data.snapshots.manifest import Manifest, Piece
from cli.engine.streams import CommandError
from cli.ui.progress import Count, megabytes, transfer

_ROOM = "stat -c %d .; df -Pk . | tail -n 1"
"""The number of the file system, and how many KiB of it are free, fourth in the line."""


def bring(folder: Path, made: Manifest, helpers: Sequence[Helper]) -> None:
    """Bring a snapshot's data beside the old.

    Args:
        folder: The snapshot.
        made: What it says of itself.
        helpers: A container for each part, which may write.

    Raises:
        UserError: There is no room for it, or it is not as it was written.
    """
    pieces = {one.part.service: made.pieces[archive(one)] for one in helpers}
    _require_room(pieces, helpers)
    with transfer(f"Bringing {made.name} back", made.size) as count:
        each(lambda one: _extract(folder, pieces[one.part.service], one, count), helpers)


def archive(one: Helper) -> str:
    """Return the name of the file that a part's data is kept in."""
    return f"{one.part.service}.tar"


def _require_room(pieces: dict[str, Piece], helpers: Sequence[Helper]) -> None:
    needed: dict[str, int] = defaultdict(lambda: store.RESERVE)
    free: dict[str, int] = {}
    for one in helpers:
        disk, line = one.script(_ROOM).split("\n", 1)
        needed[disk] += pieces[one.part.service].size
        free[disk] = int(line.split()[3]) * 1024
    for disk, size in needed.items():
        if free[disk] < size:
            raise _no_room(f"It needs {megabytes(size)}, and {megabytes(free[disk])} are free.")


def _extract(folder: Path, piece: Piece, one: Helper, count: Count) -> None:
    one.script(f"{swap.DISCARD}; mkdir -m 0700 {swap.STAGING}")
    # What is read now is checked once more: a disk may have failed since.
    content = manifest.checked(folder, archive(one), piece, count)
    try:
        one.feed(["tar", "-xpf", "-", "-C", f"{VOLUME}/{swap.STAGING}"], content, piece.size)
    except CommandError as error:
        if "No space left" in error.said:
            raise _no_room(error.said) from None
        raise UserError(
            f"The {one.part.service} data of the snapshot can't be unpacked; nothing was changed.",
            cause=error.said,
            remedy="`docker system df` shows whether there is room; `./dashtam doctor` checks the engine.",
        ) from None


def _no_room(cause: str) -> UserError:
    return UserError(
        "The engine has not enough room for the snapshot beside the old data; nothing was changed.",
        cause=cause,
        remedy="Make room: `docker system df` shows what takes it.",
    )
