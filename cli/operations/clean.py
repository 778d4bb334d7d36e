"""Everything that this clone has made on the engine, found by its labels, and how it is removed.

What lacks the labels, or is labelled as another clone's, is never looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import docker

from cli.core.errors import UserError
from cli.data import restore_journal
from cli.engine.container import ContainerView
from cli.engine.inventory import EngineView
from cli.environments import environment_lock, named_environments, ownership, passphrase, states
from cli.environments.clone import Clone
from cli.environments.configuration import configured_stacks
from cli.operations import client_settings
from cli.pulumi import locks
from cli.pulumi.process import Pulumi
from cli.pulumi.stack_state import StackState
from infra import engine, guards
from infra.state import holds_data


@dataclass(frozen=True)
class Leftovers:
    """What this clone has made: networks' names by id, volumes without and with data, stacks, a lost state."""

    containers: Sequence[ContainerView]
    networks: dict[str, str]
    volumes: Sequence[str]
    data: Sequence[str]
    stacks: Sequence[str]
    lost: Sequence[str] = ()

    def named(self) -> dict[str, list[str]]:
        """Return names by kind, in the order in which they are removed."""
        return {
            "containers": [one.name for one in self.containers],
            "networks": sorted(self.networks.values()),
            "volumes": list(self.volumes),
            "data": list(self.data),
            "stacks": list(self.stacks),
            "lost": list(self.lost),
        }

    @property
    def any(self) -> bool:
        """Whether there is anything."""
        return any(self.named().values())


def find(client: docker.DockerClient, pulumi: Pulumi, clone: Clone) -> Leftovers:
    """Look for all that this clone has made here; the state of what is on another engine stays, with its keys."""
    view, here = EngineView(client), engine.take_inventory(client)
    containers = view.containers(None, clone.id)
    networks, volumes = view.networks(None, clone.id), view.volumes(clone.id)
    own = {one.id for one in containers} | set(networks) | volumes
    others = view.ids() - own
    recorded = {stack: states.read(clone, stack, pulumi.environ) for stack in sorted(pulumi.stacks())}
    return Leftovers(
        containers,
        networks,
        sorted(name for name in volumes if not holds_data(name)),
        sorted(name for name in volumes if holds_data(name)),
        [
            stack
            for stack, state in recorded.items()
            if _is_own(clone, state, others) and not guards.is_elsewhere(ownership.made(state), here)
        ],
        [str(clone.state_folder)] if passphrase.blocks(clone, pulumi.environ) else [],
    )


def _is_own(clone: Clone, state: StackState, others: set[str]) -> bool:
    """Tell whether a state may go: a backend that several clones share may hold another's, of another machine too."""
    ids = {one.id for one in state.resources if one.id}
    owners = {one.owner for one in ownership.made(state).resources}
    return bool(ids) and not ids & others and owners <= {"", clone.id}


def remove(client: docker.DockerClient, pulumi: Pulumi, clone: Clone, agreed: Leftovers) -> Leftovers:
    """Remove all that this clone has, and return it; containers may have come since it was agreed to, but no data."""
    stacks = {*configured_stacks(clone.root), *agreed.stacks, *(one.stack for one in agreed.containers)}
    with environment_lock.held(clone, *stacks):
        for stack in sorted(stacks):
            locks.release_dead(pulumi, stack)
        view, found = EngineView(client), find(client, pulumi, clone)
        _require_agreed(found, agreed)
        for container in found.containers:
            view.remove_container(container.id)
        for network in found.networks:
            view.remove_network(network)
        for volume in (*found.volumes, *found.data):
            view.remove_volume(volume, clone.id)
        for stack in found.stacks:
            restore_journal.of(clone, stack).clear()
            client_settings.forget_app(clone, stack)
            pulumi.run("stack", "rm", stack, "--force", "--preserve-config", "--yes")
            named_environments.unregister(clone, stack)
        if found.lost:
            passphrase.remove_unreadable(clone)
    return found


def _require_agreed(found: Leftovers, agreed: Leftovers) -> None:
    if new := sorted({*found.data} - {*agreed.data}):
        raise UserError(
            f"There is data in {', '.join(new)} that was not there before; nothing was removed.",
            cause="Another command has made an environment meanwhile.",
            remedy="Look again: `./dashtam clean`.",
        )
