"""Settles where a stack is put: chosen once, and never again.

The first clone that brings a stack up keeps its plain name and its config's ports until it destroys the stack; a clone
that finds them held by another gets a name and ports of its own, and keeps those even when it destroys the stack.
Nothing that may hold data is ever renamed.

Other clones are seen by their records, also while they are down, and by their labels on the engine, which tell of other
users and of those that left no record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cli.core.errors import UserError
from cli.engine.inventory import EngineView
from cli.environments import free_ports, placements, preflight
from cli.environments.clone import Clone
from infra import placement
from infra.naming import LONGEST, Naming
from infra.placement import Placement
from infra.settings import StackSettings

SUFFIXES = (4, 6, 8, 10)
"""How many digits of its clone's id tell a stack from another clone's."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Settler:
    """Settles the stacks of one clone.

    Args:
        clone: This clone.
        view: The engine.
        say: Told where a stack is put that can't have its own place.
    """

    clone: Clone
    view: EngineView
    say: Say

    def settle(self, stack: str, source: str = "") -> Placement:
        """Choose where a stack is put, unless that is chosen already.

        Args:
            stack: The stack, which is about to be brought up.
            source: The stack whose config a further one is made from.

        Returns:
            Its placement, complete for its present config.

        Raises:
            UserError: The config is not valid, or there is no free name or port.
        """
        return self._settle(stack, source or stack, claim=True)

    def give_way(self, stack: str) -> None:
        """Choose where a stack is put if another clone has its own place; else leave it open, for whoever is first.

        Args:
            stack: The stack, which may be brought up by plain Pulumi.

        Raises:
            UserError: The config is not valid, or there is no free name or port.
        """
        self._settle(stack, stack, claim=False)

    def _settle(self, stack: str, source: str, *, claim: bool) -> Placement:
        config = preflight.configuration(self.clone.root, source)
        with placements.alone():
            record = placements.recorded(self.clone)
            known = record.get(stack)
            choice = _Choice(self.clone, self.view, stack, config)
            chosen = choice.completed(known) if known else choice.made(source)
            if chosen != known and (claim or not chosen.is_plain(stack)):
                placements.write(self.clone, {**record, stack: chosen})
        if known is None and chosen.name != stack:
            self.say(_told(stack, chosen))
        return chosen


@dataclass(frozen=True)
class _Choice:
    """What one stack can have now.

    Args:
        clone: This clone.
        view: The engine.
        stack: The stack.
        config: Its config.
    """

    clone: Clone
    view: EngineView
    stack: str
    config: StackSettings

    def made(self, source: str) -> Placement:
        """Return a place for a stack that has none yet."""
        if source == self.stack and not self._is_held_by_another():
            return placement.plain(self.stack)
        return self.completed(Placement(source=source, name=self._name(further=source != self.stack)))

    def completed(self, known: Placement) -> Placement:
        """Return a placement with a port for every service that has come to publish one since."""
        missing = [service for service, port in self.config.ports.items() if port and service not in known.ports]
        if known.is_plain(self.stack) or not missing:
            return known
        taken = {port for one in self._every() for port in one.ports.values()}
        taken |= {port for one in self.view.all_containers() for port in one.host_ports}
        ports = free_ports.choose(
            missing, self.clone.id, self.stack, lambda port: port not in taken and not free_ports.is_bound(port)
        )
        return known.model_copy(update={"ports": {**known.ports, **ports}})

    def _is_held_by_another(self) -> bool:
        held = {one.owner for one in self.view.holdings() if one.name in self._names(self.stack)}
        if self.clone.id in held:
            return False  # an environment of this clone from before there were records, or of plain Pulumi
        wanted = {port for port in self.config.ports.values() if port}
        others = placements.of_others(self.clone)
        publishers = {one.owner for one in self.view.all_containers() if wanted & one.host_ports}
        return (
            any(one.name == self.stack or wanted & {*one.ports.values()} for one in others)
            # What isn't this project's is told of when the stack is brought up.
            or bool((held | publishers) - {"", self.clone.id})
        )

    def _name(self, *, further: bool) -> str:
        taken = {one.name for one in self._every()}
        held = {one.name for one in self.view.holdings()}
        for name in [*([self.stack] if further else []), *self._own_names()]:
            if name not in taken and not held & self._names(name):
                return name
        raise UserError(
            f"There is no free name for {self.stack}.",
            cause="Something on the engine has the names of its containers, its network or its volumes.",
            remedy="Look for it with `docker ps --all` and `docker volume ls`, or choose a name: `./dashtam up dev"
            " --name NAME`.",
        )

    def _own_names(self) -> Iterator[str]:
        for digits in SUFFIXES:
            yield f"{self.stack[: LONGEST - 1 - digits].rstrip('-')}-{self.clone.id[:digits]}"

    def _names(self, name: str) -> frozenset[str]:
        return Naming(self.stack, self.clone.id, name).names

    def _every(self) -> list[Placement]:
        return [*placements.recorded(self.clone).values(), *placements.of_others(self.clone)]


def _told(stack: str, chosen: Placement) -> str:
    ports = ", ".join(f"{service} {port}" for service, port in chosen.ports.items())
    own = f", with ports of its own: {ports}" if ports else ""
    return f"Another clone has the names or ports of {stack}; this clone's is called {chosen.name}{own}."
