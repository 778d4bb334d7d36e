"""Allocates names and ports to a stack: once, and never again.

The first clone that brings a stack up keeps its plain name and its config's ports until it destroys the stack; a clone
that finds them held by another gets a name and ports of its own, and keeps those even when it destroys the stack.
Nothing that may hold data is ever renamed.

Other clones are seen by their records, also while they are down, and by their labels on the engine, which cover other
users and clones that left no record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cli.core.errors import UserError
from cli.engine.inventory import EngineView
from cli.environments import clone as clones
from cli.environments import free_ports, placements
from cli.environments.clone import Clone
from cli.environments.configuration import configuration
from cli.ui.console import announce
from infra.config import placement
from infra.config.placement import Placement
from infra.config.settings import StackSettings
from infra.naming import MAX_NAME_LENGTH, Naming

SUFFIXES = (4, 6, 8, 10)
"""How many digits of its clone's id distinguish a stack from another clone's."""


@dataclass(frozen=True)
class Allocator:
    """Allocates to the stacks of one clone, and prints what it chose for one that can't have its own place."""

    clone: Clone
    view: EngineView

    def allocate(self, stack: str, source: str = "") -> Placement:
        """Return the placement of a stack that is about to be brought up, complete for its present config.

        Args:
            source: The stack whose config this one is a link to.
        """
        return self._allocate(stack, source or stack, claim=True)

    def give_way(self, stack: str) -> None:
        """Allocate to a stack if another clone has its own place; else leave that to whoever comes first."""
        self._allocate(stack, stack, claim=False)

    def _allocate(self, stack: str, source: str, *, claim: bool) -> Placement:
        config = configuration(self.clone.root, source)
        with placements.alone():
            record = placements.recorded(self.clone)
            known = record.get(stack)
            choice = self._completed(stack, config, known) if known else self._new(stack, config, source)
            if choice != known and (claim or not choice.is_plain(stack)):
                placements.write(self.clone, {**record, stack: choice})
        if known is None and choice.name != stack:
            announce(_notice(stack, choice))
            for other in clones.deleted(self._others(self._owners(stack) | self._publishers(config))):
                announce(clones.how_to_remove(other))
        return choice

    def _new(self, stack: str, config: StackSettings, source: str) -> Placement:
        if source == stack and not self._is_held_by_another(stack, config):
            return placement.plain(stack)
        names = [*([stack] if source != stack else []), *self._own_names(stack)]
        name = self._free_name(stack, source, names)
        return self._completed(stack, config, Placement(source=source, name=name))

    def _completed(self, stack: str, config: StackSettings, known: Placement) -> Placement:
        """Return a placement with a port for every service that has come to publish one since."""
        missing = [service for service, port in config.ports.items() if port and service not in known.ports]
        if known.is_plain(stack) or not missing:
            return known
        taken = {port for one in self._every() for port in one.ports.values()}
        taken |= {port for one in self.view.all_containers() for port in one.host_ports}
        here, address = self.view.publishes_here(), config.network.bind_address
        ports = free_ports.choose(
            missing,
            self.clone.id,
            stack,
            # The ports of another computer's engine are that computer's.
            lambda port: port not in taken and not (here and free_ports.is_bound(port, address)),
        )
        return known.model_copy(update={"ports": {**known.ports, **ports}})

    def _is_held_by_another(self, stack: str, config: StackSettings) -> bool:
        owners = self._owners(stack)
        if self.clone.id in owners:
            return False  # an environment of this clone from before there were records, or of plain Pulumi
        wanted = _ports(config)
        placed = (one.name == stack or wanted & {*one.ports.values()} for one in placements.of_others(self.clone))
        return any(placed) or bool(self._others(owners | self._publishers(config)))

    def _owners(self, stack: str) -> set[str]:
        """Return whose objects on the engine have the names of a stack."""
        names = self._names(stack, stack)
        return {one.owner for one in self.view.objects() if one.name in names}

    def _publishers(self, config: StackSettings) -> set[str]:
        """Return whose containers publish the ports of a stack."""
        wanted = _ports(config)
        return {one.owner for one in self.view.all_containers() if wanted & one.host_ports}

    def _others(self, owners: set[str]) -> set[str]:
        # What isn't this project's is reported when the stack is brought up.
        return owners - {"", self.clone.id}

    def _free_name(self, stack: str, source: str, names: list[str]) -> str:
        taken = {one.name for one in self._every()}
        held = {one.name for one in self.view.objects()}
        for name in names:
            if name not in taken and not held & self._names(stack, name):
                return name
        raise UserError(
            f"There is no free name for {stack}.",
            cause="Something on the engine has the names of its containers, its network or its volumes.",
            remedy="Look for it with `docker ps --all` and `docker volume ls`, or choose a name: `./dashtam up"
            f" {source} --name NAME`.",
        )

    def _own_names(self, stack: str) -> Iterator[str]:
        for digits in SUFFIXES:
            yield f"{stack[: MAX_NAME_LENGTH - 1 - digits].rstrip('-')}-{self.clone.id[:digits]}"

    def _names(self, stack: str, name: str) -> frozenset[str]:
        return Naming(stack, self.clone.id, name).names

    def _every(self) -> list[Placement]:
        return [*placements.recorded(self.clone).values(), *placements.of_others(self.clone)]


def _ports(config: StackSettings) -> set[int]:
    return {port for port in config.ports.values() if port}


def _notice(stack: str, choice: Placement) -> str:
    ports = ", ".join(f"{service} {port}" for service, port in choice.ports.items())
    own = f", with ports of its own: {ports}" if ports else ""
    return f"Another clone has the names or ports of {stack}; this clone's is called {choice.name}{own}."
