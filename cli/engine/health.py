"""Waits for services that were started by other means than an update, which waits only for what it makes."""

from __future__ import annotations

from cli.core.wait import until
from cli.engine import failure_report
from cli.engine.container import ContainerView
from cli.engine.inventory import EngineView

SECONDS = 120.0
"""How long a service that was well before may take to be so again."""


def settled(view: EngineView, stack: str, owner: str, seconds: float = SECONDS) -> list[ContainerView]:
    """Wait until an environment's services are healthy, or one can't become so."""
    ailing: list[ContainerView] = []

    def over() -> bool:
        services = [one for one in view.containers(stack, owner) if one.is_service]
        ailing[:] = [one for one in services if not one.is_fine]
        return not ailing or any(failure_report.has_failed(one) for one in ailing)

    until(over, seconds)
    return ailing
