"""Waits until services that were started by other means than an update are healthy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from cli.core.wait import until
from cli.engine.container import ContainerView
from cli.engine.inventory import EngineView
from cli.engine.tasks import ServiceView
from infra.services.health import MARK

SECONDS = 120.0
"""How long a service that was healthy before may take to be so again."""

RELOAD_SECONDS = 10.0
"""How long a server may take to serve an edit; one that can't run its source fails after it."""

Look = Callable[[Sequence[ContainerView]], object]
"""Is given the services at each look at them, for example to show their states."""


def settled(
    view: EngineView, stack: str, owner: str, components: Collection[str] | None = None, look: Look | None = None
) -> tuple[bool, list[ContainerView]]:
    """Wait until services, all or some, are healthy or one has failed; return whether, and the containers that aren't.

    They aren't healthy where there is no container, or a Swarm's service has too few.
    """
    found: list[ContainerView] = []
    is_whole = False

    def is_chosen(one: ContainerView | ServiceView) -> bool:
        return components is None or one.component in components

    def is_over() -> bool:
        nonlocal is_whole
        found[:] = [one for one in view.containers(stack, owner) if one.is_service and is_chosen(one)]
        if look:
            look(found)
        is_whole = all(one.is_fine for one in view.services(stack, owner) if is_chosen(one))
        return (is_whole and all(one.is_fine for one in found)) or any(one.has_failed for one in found)

    until(is_over, SECONDS)
    unhealthy = [one for one in found if not one.is_fine]
    return bool(found) and is_whole and not unhealthy, unhealthy


def broken_by_an_edit(view: EngineView, stack: str, owner: str, before: str) -> list[ContainerView]:
    """Return the servers that reload their source and can't run it, of those that started before a time.

    The engine's own checks notice that after a minute.
    """
    reloading = [one for one in view.containers(stack, owner) if one.reload_check and one.started < before]
    return [one for one in (_checked(view, each) for each in reloading) if not one.is_fine]


def _checked(view: EngineView, service: ContainerView) -> ContainerView:
    # Without the mark the check asks at once, and until the server is healthy, as after a start.
    command = ["sh", "-c", f"rm -f {MARK}; {service.reload_check}"]
    status, output = 1, ""

    def passes() -> bool:
        nonlocal status, output
        status, output = view.execute(service.id, command)
        return status == 0

    if until(passes, RELOAD_SECONDS):
        return service
    return replace(service, health="unhealthy", checks=(*service.checks, (status, output.strip())))
