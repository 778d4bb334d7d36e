"""Finishes an interrupted restore, or undoes it if it had replaced nothing, before a command changes the environment.

`cli.data.restore_journal` has the table of phases.
"""

from __future__ import annotations

from cli.core.errors import UserError
from cli.core.parallel import each
from cli.data import restore_journal
from cli.data.backups import acceptance
from cli.data.restore_journal import Entry, Journal, Phase
from cli.data.snapshots import session_key, volume_swap
from cli.data.snapshots.helper import PREFIX, Part
from cli.engine import temporary_container
from cli.environments import ownership, states
from cli.environments.handle import EnvironmentHandle
from cli.ui.console import announce


def finish(environment: EnvironmentHandle) -> bool:
    """Do as `apply_journal` for an earlier command, on the engine that it worked on; print if a restore is finished."""
    clone, stack = environment.clone, environment.name
    if _pending(restore_journal.of(clone, stack)):
        # Another engine has none of the volumes, or others of these names: the restore would count as finished.
        ownership.require_engine(environment.client, clone, stack, states.read(clone, stack))
    finished = apply_journal(environment)
    if finished:
        announce(f"A restore of {stack} was interrupted; it is finished now.")
    return finished


def apply_journal(environment: EnvironmentHandle) -> bool:
    """Finish or undo a restore, under the environment's lock; return whether a snapshot's is finished.

    Services that are stopped for it are started again.
    """
    journal = restore_journal.of(environment.clone, environment.name)
    entry = _pending(journal)
    if entry is None:
        return False
    if entry.phase is Phase.DATABASE:
        if acceptance.finish_replacing(environment):
            journal.clear()
        return False
    parts = _take_over(environment, entry)
    if entry.phase is Phase.STAGING:
        volume_swap.run(environment, parts, volume_swap.DISCARD)
        if entry.former:
            journal.write(entry.former)
        else:
            journal.clear()
        return False
    _finish_swap(environment, parts, journal, entry)
    return True


def _pending(journal: Journal) -> Entry | None:
    """Return what is noted of a restore whose data is not in place; the next update installs a session key."""
    entry = journal.read()
    return None if entry is None or entry.phase is Phase.SESSION_KEY else entry


def require_finished(environment: EnvironmentHandle) -> bool:
    """Do as `finish`, for a command that can't install a session key: a UserError if an update must come first."""
    finished = finish(environment)
    if session_key.pending(environment):
        raise UserError(
            f"The last restore of {environment.name} is not finished.",
            cause="The session key of the restored data is not installed yet.",
            remedy=f"Run `./dashtam up {environment.name}` first.",
        )
    return finished


def _take_over(environment: EnvironmentHandle, entry: Entry) -> list[Part]:
    """Remove the killed command's helpers; return the parts of the restore that still have a volume."""
    engine, owner = environment.own_engine, environment.clone.id
    for one in engine.containers(environment.name, owner):
        if one.component.startswith(PREFIX):
            temporary_container.remove(environment.client, environment.naming, one.id)
    volumes = engine.volumes(owner)
    return [part for part in entry.parts if part.volume in volumes]


def _finish_swap(environment: EnvironmentHandle, parts: list[Part], journal: Journal, entry: Entry) -> None:
    running = volume_swap.stop(environment, [part.service for part in parts])
    volume_swap.run(environment, parts, volume_swap.SWAP)
    if entry.session_key:
        journal.write(entry.model_copy(update={"phase": Phase.SESSION_KEY, "parts": ()}))
    else:
        journal.clear()
    each(environment.client.api.start, running)
