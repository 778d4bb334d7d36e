"""Puts staged data into the place of the old, by renames alone: interrupted at any point, it goes on from there.

In each volume the new data is staged in a folder beside the old. The switch notes the names of the new, moves into that
folder whatever is there and not new, then the new out of it. What makes a folder a database goes first and comes last,
so that no server starts on half of each.
"""

from __future__ import annotations

import docker

from cli.core.errors import UserError
from cli.core.parallel import each
from cli.data.backups import unfinished
from cli.data.snapshots import journal, parts
from cli.data.snapshots.helper import PREFIX, VOLUME, Part, helper, remove
from cli.data.snapshots.journal import Phase
from cli.engine.inventory import EngineView
from cli.engine.streams import CommandError
from cli.environments.clone import Clone
from infra.naming import Naming

STOP_SECONDS = 30

USERS_OF_DATA = ("app", "postgres", "redis")
"""The services that write, and those that they write to."""

STAGING = ".dashtam-restore"
STAGED = f"{STAGING}{VOLUME}"
"""Where the new data is: an archive of a folder has its name in it."""

_FIRST = "PG_VERSION"

SWITCH = f"""
if [ -d {STAGED} ]; then
    rm -rf {STAGED}/lost+found # a volume's own, never data
    if [ ! -e {STAGING}/names ]; then
        ls -A {STAGED} > {STAGING}/names.draft
        sync
        mv {STAGING}/names.draft {STAGING}/names
        sync
    fi
    old=$(mktemp -d {STAGING}/old.XXXXXX)
    is_new() {{ grep -qxF -e "$1" {STAGING}/names && [ ! -e "{STAGED}/$1" ] && [ ! -L "{STAGED}/$1" ]; }}
    if [ -e {_FIRST} ] && ! is_new {_FIRST}; then mv {_FIRST} "$old/"; fi
    ls -A | while IFS= read -r name; do
        case $name in {STAGING}*|lost+found) continue ;; esac
        is_new "$name" || mv "$name" "$old/"
    done
    sync
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
if [ -d {STAGING} ]; then mv {STAGING} {STAGING}-gone; fi
rm -rf {STAGING}-gone
"""
"""What is there and not new goes aside, into a folder that is fresh each time: the old data, and whatever a server made
that was started in between."""

DISCARD = f"rm -rf {STAGING} {STAGING}-gone"


def finish(client: docker.DockerClient, clone: Clone, naming: Naming) -> bool:
    """Finish a restore that was interrupted, or undo it where it had not begun to replace anything.

    To be called while no other command can change the environment. What it has to stop for that, it starts again.

    Args:
        client: The engine.
        clone: This clone.
        naming: The environment's names.

    Returns:
        Whether one of a snapshot was finished.

    Raises:
        UserError: It can't be finished now, or another version of this tool began it.
    """
    noted = journal.of(clone, naming.environment)
    entry = noted.read()
    if entry is None:
        return False
    if entry.phase is Phase.DATABASE:
        if unfinished.settle(client, clone, naming.environment):
            noted.clear()
        return False
    if entry.phase is Phase.KEYS:
        return False
    view = EngineView(client)
    for one in view.containers(naming.environment, naming.owner):
        if one.component.startswith(PREFIX):
            remove(client, naming, one.id)
    ours = parts.volumes(view, naming)
    there = [part for part in entry.parts if part.volume in ours]
    switching = entry.phase is Phase.SWITCHING
    running = stop(client, naming, [part.service for part in there]) if switching else []
    for part in there:
        _work(client, naming, part, SWITCH if switching else DISCARD)
    if switching and entry.session_key:
        noted.write(entry.model_copy(update={"phase": Phase.KEYS, "parts": ()}))
    else:
        noted.clear()
    each(client.api.start, running)
    return switching


def require_finished(client: docker.DockerClient, clone: Clone, naming: Naming) -> bool:
    """Finish a restore as `finish` does, for a command that can't do what is left to an update.

    Args:
        client: The engine.
        clone: This clone.
        naming: The environment's names.

    Returns:
        Whether one of a snapshot was finished.

    Raises:
        UserError: It can't be finished now, or an update must come first.
    """
    finished = finish(client, clone, naming)
    entry = journal.of(clone, naming.environment).read()
    if entry and entry.phase is Phase.KEYS:
        raise UserError(
            f"The last restore of {naming.environment} is not finished.",
            cause="The session key of the restored data is not installed yet.",
            remedy=f"Run `./dashtam up {naming.environment}` first.",
        )
    return finished


def _work(client: docker.DockerClient, naming: Naming, part: Part, script: str) -> None:
    with helper(client, naming, part, writes=True) as opened:
        try:
            opened.script(script)
        except CommandError as error:
            raise UserError(
                f"A restore of {naming.environment} was interrupted, and can't be finished.",
                cause=error.said,
                remedy=f"`docker system df` shows whether there is room. Then `./dashtam up {naming.environment}`"
                " finishes it.",
            ) from None


def stop(client: docker.DockerClient, naming: Naming, services: list[str]) -> list[str]:
    """Stop services in good order.

    Args:
        client: The engine.
        naming: The environment's names.
        services: Which.

    Returns:
        The ids of their containers that ran.
    """
    view = EngineView(client)
    found = view.containers(naming.environment, naming.owner)
    running = [one.id for one in found if one.component in services and one.state not in {"exited", "created"}]
    each(lambda container: view.stop(container, STOP_SECONDS), running)
    return running
