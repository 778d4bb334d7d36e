"""Everything that this clone has made on the engine, found by its labels, and how it is removed.

What lacks the labels, or is labelled as another clone's, is never looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from cli import further, passphrase, recorded, recovery, turns
from cli.clone import Clone
from cli.engine_view import ContainerView, EngineView
from cli.pulumi import Pulumi
from cli.snapshots import journal

_FILES = "-files"
"""How the names of volumes end that hold no data, but certificates and secrets that are in the state too."""


@dataclass(frozen=True)
class Belongings:
    """What this clone has made.

    Args:
        containers: Its containers, running or not.
        networks: Ids of its networks by name.
        volumes: Names of its volumes without data.
        data: Names of its volumes with data.
        stacks: Environments whose state tells of nothing but these, and what is gone already.
        lost: The folder of a state whose passphrase is lost; it goes as a whole.
    """

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
            "networks": sorted(self.networks),
            "volumes": list(self.volumes),
            "data": list(self.data),
            "stacks": list(self.stacks),
            "lost": list(self.lost),
        }

    @property
    def any(self) -> bool:
        """Whether there is anything."""
        return any(self.named().values())


def find(view: EngineView, pulumi: Pulumi, clone: Clone) -> Belongings:
    """Look for all that this clone has made.

    Args:
        view: The engine.
        pulumi: Pulumi in this clone.
        clone: This clone.

    Returns:
        What there is now.
    """
    containers = view.containers(None, clone.id)
    networks, volumes = view.networks(None, clone.id), view.volumes(clone.id)
    own = {one.id for one in containers} | set(networks.values()) | volumes
    others = view.ids() - own
    states = {stack: _ids(clone, stack, pulumi) for stack in sorted(pulumi.stacks())}
    return Belongings(
        containers,
        networks,
        sorted(name for name in volumes if name.endswith(_FILES)),
        sorted(name for name in volumes if not name.endswith(_FILES)),
        # A backend that several clones share may hold another's stack.
        [stack for stack, ids in states.items() if ids and not ids & others],
        [str(clone.state_folder)] if passphrase.blocks(clone, pulumi.environ) else [],
    )


def _ids(clone: Clone, stack: str, pulumi: Pulumi) -> set[str]:
    return {one.id for one in recorded.read(clone, stack, pulumi.environ).resources if one.id}


def remove(view: EngineView, pulumi: Pulumi, clone: Clone, found: Belongings, say: Callable[[str], None]) -> None:
    """Remove what was found, so that the next `up` makes everything anew.

    Args:
        view: The engine.
        pulumi: Pulumi in this clone.
        clone: This clone.
        found: What was found.
        say: Told if it has to wait.

    Raises:
        UserError: An update of one of the environments doesn't end.
    """
    with ExitStack() as held:
        for stack in sorted({*found.stacks, *(one.stack for one in found.containers)}):
            held.enter_context(turns.turn(clone.home, stack, say))
            recovery.release_dead_locks(pulumi, stack, say)
        for container in found.containers:
            view.remove_container(container.id)
        for network in found.networks.values():
            view.remove_network(network)
        for volume in found.volumes:
            view.remove_volume(volume)
        remove_data(view, found.data)
        for stack in found.stacks:
            journal.of(clone, stack).clear()
            pulumi.run("stack", "rm", stack, "--force", "--preserve-config", "--yes")
            further.unregister(clone, stack)
        if found.lost:
            passphrase.start_anew(clone)


def remove_data(view: EngineView, volumes: Sequence[str]) -> None:
    """Remove volumes with data: the only place where `clean` does.

    Args:
        view: The engine.
        volumes: Their names.
    """
    for volume in volumes:
        view.remove_volume(volume)
