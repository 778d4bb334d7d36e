"""Finishes an interrupted restore, or undoes it if it had replaced nothing, before a command changes the environment.

`cli.data.restore_journal` has the table of phases.
"""

from __future__ import annotations

import docker

from cli.core.errors import UserError
from cli.core.parallel import each
from cli.data import restore_journal
from cli.data.backups import serving
from cli.data.restore_journal import Entry, Journal, Phase
from cli.data.snapshots import session_key, volume_swap
from cli.data.snapshots.helper import PREFIX, Part
from cli.engine import temporary_container
from cli.engine.inventory import EngineView
from cli.environments import ownership, placements, states
from cli.environments.clone import Clone
from cli.ui.console import announce
from infra.naming import Naming


def finish(client: docker.DockerClient, clone: Clone, stack: str) -> bool:
    """Do as `apply_journal` for an earlier command, on the engine that it worked on; print if a restore is finished."""
    if _pending(restore_journal.of(clone, stack)):
        # Another engine has none of the volumes, or others of these names: the restore would count as finished.
        ownership.require_engine(client, clone, stack, states.read(clone, stack))
    finished = apply_journal(client, clone, stack)
    if finished:
        announce(f"A restore of {stack} was interrupted; it is finished now.")
    return finished


def apply_journal(client: docker.DockerClient, clone: Clone, stack: str) -> bool:
    """Finish or undo a restore, under the environment's lock; return whether a snapshot's is finished.

    Services that are stopped for it are started again.
    """
    journal = restore_journal.of(clone, stack)
    entry = _pending(journal)
    if entry is None:
        return False
    if entry.phase is Phase.DATABASE:
        if serving.finish_replacing(client, clone, stack):
            journal.clear()
        return False
    naming = placements.naming(clone, stack)
    parts = _take_over(client, naming, entry)
    if entry.phase is Phase.STAGING:
        volume_swap.run(client, naming, parts, volume_swap.DISCARD)
        if entry.former:
            journal.write(entry.former)
        else:
            journal.clear()
        return False
    _finish_swap(client, naming, parts, journal, entry)
    return True


def _pending(journal: Journal) -> Entry | None:
    """Return what is noted of a restore whose data is not in place; the next update installs a session key."""
    entry = journal.read()
    return None if entry is None or entry.phase is Phase.SESSION_KEY else entry


def require_finished(client: docker.DockerClient, clone: Clone, stack: str) -> bool:
    """Do as `finish`, for a command that can't install a session key: a UserError if an update must come first."""
    finished = finish(client, clone, stack)
    if session_key.pending(clone, stack):
        raise UserError(
            f"The last restore of {stack} is not finished.",
            cause="The session key of the restored data is not installed yet.",
            remedy=f"Run `./dashtam up {stack}` first.",
        )
    return finished


def _take_over(client: docker.DockerClient, naming: Naming, entry: Entry) -> list[Part]:
    """Remove the killed command's helpers; return the parts of the restore that still have a volume."""
    view = EngineView(client)
    for one in view.containers(naming.environment, naming.owner):
        if one.component.startswith(PREFIX):
            temporary_container.remove(client, naming, one.id)
    volumes = view.volumes(naming.owner)
    return [part for part in entry.parts if part.volume in volumes]


def _finish_swap(
    client: docker.DockerClient, naming: Naming, parts: list[Part], journal: Journal, entry: Entry
) -> None:
    running = volume_swap.stop(client, naming, [part.service for part in parts])
    volume_swap.run(client, naming, parts, volume_swap.SWAP)
    if entry.session_key:
        journal.write(entry.model_copy(update={"phase": Phase.SESSION_KEY, "parts": ()}))
    else:
        journal.clear()
    each(client.api.start, running)
