"""Refuses to work on a clone whose environments another data home has, which this machine may not even see.

A checkout that a second machine, virtual machine or container mounts has the same identity there, and an empty state.
With the first one's Docker, what runs would be taken for what an interrupted update left.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from cli.core.errors import UserError
from cli.engine.container import made_by_updates
from cli.engine.inventory import EngineView
from cli.environments import states
from cli.environments.clone import Clone
from cli.environments.configuration import configured_stacks
from infra import identity
from infra.state import holds_data


def require_known(clone: Clone, view: EngineView, home: str, environ: Mapping[str, str]) -> None:
    """Make sure that this clone's state knows what the engine has of it; `home` is the data home on record."""
    recorded = {
        resource.id
        for stack in configured_stacks(clone.root)
        for resource in states.read(clone, stack, environ).resources
    }
    unknown = sorted({name for key, name in _found(clone, view).items() if key not in recorded})
    if not unknown:
        return
    marker = identity.marker(clone.root)
    raise UserError(
        f"This clone has {', '.join(unknown)} in Docker, which are not in its state here; nothing was changed.",
        cause=f"Its state is kept in {home}, which is not on this machine: another machine or container uses this"
        " checkout and Docker too, or that folder was moved or deleted.",
        remedy=f"Run this there, or mount that folder here and set DASHTAM_DATA_HOME={shlex.quote(home)}. If it was"
        " moved, set DASHTAM_DATA_HOME to where it is. If it no longer exists anywhere, remove it from this clone's"
        f" record: echo {clone.id} > {shlex.quote(str(marker))}",
    )


def _found(clone: Clone, view: EngineView) -> dict[str, str]:
    """Return the names, by id, of what updates of this clone made, and of volumes with data."""
    containers = [one for one in view.containers(None, clone.id) if made_by_updates(one.component) and not one.replica]
    return {
        **{one.id: one.name for one in containers},
        **{one.id: one.name for one in view.services(None, clone.id)},
        **view.networks(None, clone.id),
        **{name: name for name in view.volumes(clone.id) if holds_data(name)},
    }
