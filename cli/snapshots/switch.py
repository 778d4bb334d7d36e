"""Puts staged data into the place of the old, by renames alone: broken off at any point, it goes on from there.

In each volume the new data is staged in a folder beside the old. The switch moves the old into that folder, then the
new out of it. What makes a folder a database goes first and comes last, so that no server starts on half of each.
"""

from __future__ import annotations

import docker
from docker.errors import APIError

from cli.clone import Clone
from cli.engine_view import EngineView
from cli.parallel import each
from cli.snapshots import journal, parts
from cli.snapshots.helper import PREFIX, VOLUME, helper, remove
from cli.snapshots.journal import Phase
from infra.naming import Naming

STOP_SECONDS = 30

USERS_OF_DATA = ("app", "postgres", "redis")
"""The services that write, and those that they write to."""

STAGING = ".dashtam-restore"
STAGED = f"{STAGING}{VOLUME}"
"""Where the new data is: an archive of a folder has its name in it."""

_OTHERS = f"find . -mindepth 1 -maxdepth 1 ! -name '{STAGING}*' ! -name lost+found"
_FIRST = "PG_VERSION"

SWITCH = f"""
if [ -d {STAGING} ]; then
    mkdir -p {STAGING}/old
    if [ ! -e {STAGING}/moved ]; then
        if [ -e {_FIRST} ]; then mv {_FIRST} {STAGING}/old/; fi
        {_OTHERS} -exec sh -c 'mv "$@" {STAGING}/old/' sh {{}} +
        [ -z "$({_OTHERS})" ]
        sync
        : > {STAGING}/moved
        sync
    fi
    if [ -d {STAGED} ]; then
        find {STAGED} -mindepth 1 -maxdepth 1 ! -name {_FIRST} -exec sh -c 'mv "$@" .' sh {{}} +
        if [ -e {STAGED}/{_FIRST} ]; then
            [ "$(ls -A {STAGED})" = {_FIRST} ]
            sync
            mv {STAGED}/{_FIRST} .
        fi
        rmdir {STAGED}
        sync
    fi
    # Renamed first: what is left of it must never be taken for a switch that isn't done.
    mv {STAGING} {STAGING}-gone
fi
rm -rf {STAGING}-gone
"""

DISCARD = f"rm -rf {STAGING} {STAGING}-gone"


def finish(client: docker.DockerClient, clone: Clone, naming: Naming) -> bool:
    """Finish a restore that was broken off, or undo it where it had not begun to replace anything.

    To be called while no other command can change the environment.

    Args:
        client: The engine.
        clone: This clone.
        naming: The environment's names.

    Returns:
        Whether one was finished.
    """
    noted = journal.of(clone, naming.environment)
    entry = noted.read()
    if entry is None:
        return False
    view = EngineView(client)
    for one in view.containers(naming.environment, naming.owner):
        if one.component.startswith(PREFIX):
            remove(client, naming, one.id)
    ours = parts.volumes(view, naming)
    there = [part for part in entry.parts if part.volume in ours]
    if entry.phase is Phase.SWITCHING:
        stop(client, naming, [part.service for part in there])
    for part in there:
        with helper(client, naming, part, writes=True) as opened:
            opened.script(SWITCH if entry.phase is Phase.SWITCHING else DISCARD)
    noted.clear()
    return entry.phase is Phase.SWITCHING


def stop(client: docker.DockerClient, naming: Naming, services: list[str]) -> list[str]:
    """Stop services in good order.

    Args:
        client: The engine.
        naming: The environment's names.
        services: Which.

    Returns:
        The ids of their containers that ran.
    """
    found = EngineView(client).containers(naming.environment, naming.owner)
    running = [one.id for one in found if one.component in services and one.state not in {"exited", "created"}]
    each(lambda container: _stop(client, container), running)
    return running


def _stop(client: docker.DockerClient, container: str) -> None:
    try:
        client.api.stop(container, timeout=STOP_SECONDS)
    except APIError:
        # One that is paused takes no signal.
        client.api.unpause(container)
        client.api.stop(container, timeout=STOP_SECONDS)
