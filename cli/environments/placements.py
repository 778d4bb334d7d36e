"""Where this clone's stacks are put, as it recorded it; `infra.config.placement` says what a placement is.

The record is in the clone's home, outside git. It is changed under a lock that all clones of this user share, since
what one clone may choose depends on what others have chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress

from cli.core.atomic_files import write_whole
from cli.core.errors import UserError
from cli.core.paths import data_home
from cli.environments import clone as clones
from cli.environments.clone import Clone
from cli.ui.file_lock import exclusively
from infra.config import placement
from infra.config.placement import Placement
from infra.naming import Naming

_WAITING = "Another command is choosing names and ports; waiting for it."


def recorded(clone: Clone) -> dict[str, Placement]:
    """Return this clone's placements by stack."""
    try:
        return placement.read(clone.placements_file)
    except ValueError as error:
        raise UserError(
            f"{clone.placements_file} can't be read.",
            cause=str(error),
            remedy="Restore it from a backup; without this file, named environments and their ports are unknown.",
        ) from None


def of(clone: Clone, stack: str) -> Placement:
    """Return where a stack is put, or would be if nothing were in its way."""
    return recorded(clone).get(stack) or placement.plain(stack)


def naming(clone: Clone, stack: str) -> Naming:
    """Return the names of a stack where it is put."""
    return Naming(stack, clone.id, of(clone, stack).name)


def of_others(clone: Clone) -> list[Placement]:
    """Return what this user's other clones have placed, also where that is down now."""
    found: list[Placement] = []
    for other in clones.others(clone):
        with suppress(UserError):  # reported by that clone's own commands
            found += recorded(other).values()
    return found


def alone() -> AbstractContextManager[None]:
    """Hold the lock from looking what is free until what was chosen is written."""
    return exclusively(data_home() / "placements.lock", _WAITING)


def write(clone: Clone, placements: Mapping[str, Placement]) -> None:
    """Replace this clone's record, under the lock."""
    write_whole(clone.placements_file, placement.written(placements))


def choose(clone: Clone, stack: str, services: tuple[str, ...]) -> None:
    """Record which services of a stack, which has a record, are to run."""
    with alone():
        record = recorded(clone)
        write(clone, {**record, stack: record[stack].model_copy(update={"services": services})})


def release(clone: Clone, stack: str) -> None:
    """Forget a stack that is no more; one with a place of its own keeps that, and nothing else."""
    with alone():
        record = recorded(clone)
        known = record.pop(stack, None)
        if known and known.source == stack and not known.is_plain(stack):
            record[stack] = known.model_copy(update={"services": ()})
        if known:
            write(clone, record)
