"""Restarts services in the order in which they need each other, and waits until they are healthy again."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from graphlib import TopologicalSorter

from docker.errors import APIError

from cli.core import remedies, signals
from cli.core.errors import UserError
from cli.engine import failure_report
from cli.engine.container import ContainerView
from cli.engine.inventory import EngineView
from cli.operations.update_progress import STARTING

NEEDS: Mapping[str, Collection[str]] = {
    "postgres": (),
    "redis": (),
    "sandbox": ("redis",),
    "app": ("postgres", "redis", "sandbox"),
    "callback": ("app",),
}
"""What each service asks for its answers."""

GRACE = 30
"""Seconds that a service has to end in good order."""

POLL = 0.2
"""Seconds."""

Show = Callable[[str, str], None]
"""Told of a service what has become of it."""


def restart(view: EngineView, stack: str, containers: Collection[ContainerView], show: Show) -> None:
    """Stop services and start them again: who needs another is stopped before it, and started after it."""
    show = _tolerant(show)
    refused = _stop_and_start(view, in_order(containers), show)
    reports = refused or _wait(view, containers, show)
    if reports:
        raise UserError(
            f"{stack} is not healthy after the restart.",
            cause="\n\n".join(reports),
            remedy=remedies.known(*reports)
            or f"`./dashtam logs {stack}` shows more; `./dashtam up {stack}` replaces containers that don't work.",
        )


def _stop_and_start(view: EngineView, batches: list[list[ContainerView]], show: Show) -> list[str]:
    """Return what the engine says against it."""
    try:
        unstopped = [said for batch in reversed(batches) for said in _each(batch, lambda one: _stop(view, one, show))]
    finally:
        # Whatever happened, what was stopped runs again.
        with signals.postponed():
            unstarted = [said for batch in batches for said in _each(batch, lambda one: _start(view, one, show))]
    return [said for said in (*unstopped, *unstarted) if said]


def _tolerant(show: Show) -> Show:
    """Return what shows as far as it can: a reader that is gone must not keep a service stopped."""

    def shown(service: str, state: str) -> None:
        with suppress(OSError):
            show(service, state)

    return shown


def in_order(containers: Iterable[ContainerView]) -> list[list[ContainerView]]:
    """Return containers in the order in which to start them; those of one batch don't need each other.

    Returns:
        Batches, none of them empty.
    """
    by_service = {one.component: one for one in containers}
    sorter = TopologicalSorter(NEEDS)
    sorter.prepare()
    batches = []
    while sorter.is_active():
        ready = sorter.get_ready()
        sorter.done(*ready)
        batches.append([by_service[service] for service in ready if service in by_service])
    return [batch for batch in batches if batch]


def _each(batch: list[ContainerView], work: Callable[[ContainerView], str]) -> list[str]:
    with ThreadPoolExecutor(len(batch)) as pool:
        return list(pool.map(work, batch))


def _stop(view: EngineView, one: ContainerView, show: Show) -> str:
    show(one.component, "stopping")
    return _refusal(one, show, lambda: view.stop(one.id, GRACE))


def _start(view: EngineView, one: ContainerView, show: Show) -> str:
    show(one.component, STARTING)
    refusal = _refusal(one, show, lambda: view.start(one.id))
    if not refusal:
        show(one.component, "waiting for health")
    return refusal


def _refusal(one: ContainerView, show: Show, work: Callable[[], None]) -> str:
    """Do something with a container; return what the engine says against it, if it does."""
    try:
        work()
    except APIError as error:
        show(one.component, "failed")
        return f"{one.name}: {error.explanation}"
    return ""


def _wait(view: EngineView, containers: Collection[ContainerView], show: Show) -> list[str]:
    """Wait until all are healthy, or one has failed: the engine's own start period bounds it."""
    waiting = {one.id for one in containers}
    while waiting:
        for one in (view.container(key) for key in sorted(waiting)):
            if one.has_failed:
                show(one.component, "failed")
                return [failure_report.report(one, view.last_lines(one.id, failure_report.LOG_LINES))]
            if one.is_fine:
                show(one.component, "healthy")
                waiting.discard(one.id)
        time.sleep(POLL if waiting else 0)
    return []
