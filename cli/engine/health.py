"""Waits until services that were started by other means than an update are healthy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cli.core.wait import until
from cli.engine.container import ContainerView
from cli.engine.inventory import EngineView

SECONDS = 120.0
"""How long a service that was healthy before may take to be so again."""


Look = Callable[[Sequence[ContainerView]], object]
"""Is given the services at each look at them, for example to show their states."""


def settled(
    view: EngineView, stack: str, owner: str, seconds: float = SECONDS, look: Look = bool
) -> list[ContainerView]:
    """Wait until an environment's services are healthy or one has failed; return those that aren't healthy."""
    unhealthy: list[ContainerView] = []

    def over() -> bool:
        services = [one for one in view.containers(stack, owner) if one.is_service]
        look(services)
        unhealthy[:] = [one for one in services if not one.is_fine]
        return not unhealthy or any(one.has_failed for one in unhealthy)

    until(over, seconds)
    return unhealthy
