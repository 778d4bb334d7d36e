"""Puts staged data in the place of the old, in one volume, by renames alone; after a kill at any step it can go on.

`.dashtam-restore` in the volume, and what is in it after each step of `SWAP`:

| step | in `.dashtam-restore` | in the volume |
|---|---|---|
| staged | `volume/`: the new data | the old data |
| listed | also `names`: the names of the new data | the old data |
| old moved out | also `old.*/`: the old data | nothing |
| new moved in | `names`, `old.*/` | the new data |
| done | (deleted) | the new data |

Until `SWAP` runs, `DISCARD` undoes a restore; from then on another run of `SWAP` finishes it. `PG_VERSION`, without
which Postgres doesn't start, is moved out first and moved in last, so that it never starts on half of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cli.core.parallel import each
from cli.data.snapshots.helper import ROOT, VOLUME, Part, helper
from cli.engine.container import ContainerView
from cli.engine.streams import explain_failure
from cli.environments.handle import EnvironmentHandle
from infra.naming import WITH_DATA

USERS_OF_DATA = ("app", *WITH_DATA)
"""The services that write data, and those that store it."""

STAGING = ".dashtam-restore"
STAGED = f"{STAGING}{VOLUME}"
"""Where the new data is: the archive of a folder has the folder's name in it."""

_FIRST = "PG_VERSION"

SWAP = f"""
if [ -d {STAGED} ]; then
    rm -rf {STAGED}/lost+found # a volume's own, never data
    export LC_ALL=C
    if [ ! -e {STAGING}/names ]; then
        find {STAGED} -mindepth 1 -maxdepth 1 -exec sh -euc '
            for path; do printf %s "${{path##*/}}" | tr "\\n" /; echo; done
        ' sh {{}} + > {STAGING}/names.draft
        sync
        mv {STAGING}/names.draft {STAGING}/names
        sync
    fi
    old=$(mktemp -d {STAGING}/old.XXXXXX)
    move_out() {{
        find . -mindepth 1 -maxdepth 1 ! -name '{STAGING}*' ! -name lost+found "$@" -exec sh -euc '
            for path; do
                name=${{path##*/}}
                if printf %s "$name" | tr "\\n" / | grep -qxF -f - {STAGING}/names &&
                    [ ! -e "{STAGED}/$name" ] && [ ! -L "{STAGED}/$name" ]; then continue; fi
                mv -- "$path" "$0/"
            done
        ' "$old" {{}} +
    }}
    move_out -name {_FIRST}
    move_out
    sync
    find {STAGED} -mindepth 1 -maxdepth 1 ! -name {_FIRST} -exec sh -c 'mv -- "$@" .' sh {{}} +
    if [ -e {STAGED}/{_FIRST} ]; then
        [ "$(ls -A {STAGED})" = {_FIRST} ]
        sync
        mv {STAGED}/{_FIRST} .
    fi
    rmdir {STAGED}
    sync
fi
# Renamed first: what is left of it must never look like an unfinished swap.
if [ -d {STAGING} ]; then mv {STAGING} {STAGING}-gone; fi
rm -rf {STAGING}-gone
"""
"""Each run moves what isn't new into another `old` folder: the old data, and the files of a server that was started
between two runs. In `names`, which has one name per line, a `/` stands for a line break in a name."""

DISCARD = f"rm -rf {STAGING} {STAGING}-gone"


def run(environment: EnvironmentHandle, parts: Sequence[Part], script: str) -> None:
    """Put the staged data of each part in the place of the old by `SWAP`, or delete it by `DISCARD`."""
    for part in parts:
        with (
            helper(environment, replace(part, user=ROOT), writes=True) as opened,
            explain_failure(
                f"A restore of {environment.name} was interrupted, and can't be finished.",
                f"`./dashtam doctor` checks Docker. Then `./dashtam up {environment.name}` finishes it.",
                environment.name,
            ),
        ):
            opened.script(script)


def running_users(environment: EnvironmentHandle) -> list[ContainerView]:
    """Return the containers that run of the services that use data."""
    found = environment.view.containers(environment.name, environment.clone.id)
    return [one for one in found if one.component in USERS_OF_DATA and one.state == "running"]


def stop(environment: EnvironmentHandle, services: Sequence[str] = USERS_OF_DATA) -> list[str]:
    """Stop services with time to end; return the ids of their containers that ran."""
    engine = environment.own_engine
    found = engine.containers(environment.name, environment.clone.id)
    running = [one.id for one in found if one.component in services and one.state not in {"exited", "created"}]
    each(engine.stop, running)
    return running
