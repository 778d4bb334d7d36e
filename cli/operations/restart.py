"""Restarts services in the order of their dependencies, and waits until they are healthy again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from graphlib import TopologicalSorter

from docker.errors import APIError

from cli.core import remedies, signals
from cli.core.errors import UserError
from cli.core.parallel import each
from cli.engine import failure_report, health
from cli.engine.container import ContainerView
from cli.engine.inventory import EngineView
from cli.environments import environment_lock
from cli.environments.handle import EnvironmentHandle
from cli.operations import finish_restore
from cli.operations.update.progress import STARTING, UpdateProgress, display
from cli.ui.console import err
from infra.naming import NEEDS

Show = Callable[[str, str], None]
"""Shows the state of a service."""


def restart(environment: EnvironmentHandle, services: Sequence[str]) -> list[str]:
    """Restart an environment's services, all of them if none is named, and return their names."""
    name = environment.name
    with environment_lock.held(environment.clone, name):
        # An interrupted restore has stopped all that use the data.
        finished = finish_restore.finish(environment)
        containers = environment.chosen([] if finished else services)
        with display([name], err) as (progress,):
            restart_containers(environment, containers, progress)
    return [one.component for one in containers]


def restart_containers(
    environment: EnvironmentHandle, containers: Collection[ContainerView], progress: UpdateProgress
) -> None:
    """Stop services and start them again: a service is stopped before those that it needs, and started after them."""
    stack = environment.name
    refused = _stop_and_start(environment.view, in_order(containers), progress.show)
    reports = refused or _wait(environment, containers, progress)
    if reports:
        raise UserError(
            f"{stack} is not healthy after the restart.",
            cause="\n\n".join(reports),
            remedy=remedies.known(*reports, environment=stack)
            or f"`./dashtam logs {stack}` shows more; `./dashtam up {stack}` replaces containers that don't work.",
        )


def _stop_and_start(view: EngineView, batches: list[list[ContainerView]], show: Show) -> list[str]:
    """Return the engine's refusals."""
    try:
        unstopped = [said for batch in reversed(batches) for said in each(lambda one: _stop(view, one, show), batch)]
    finally:
        # Whatever happened, what was stopped runs again.
        with signals.postponed():
            unstarted = [said for batch in batches for said in each(lambda one: _start(view, one, show), batch)]
    return [said for said in (*unstopped, *unstarted) if said]


def in_order(containers: Iterable[ContainerView]) -> list[list[ContainerView]]:
    """Return batches of containers in the order in which to start them; those of one batch don't need each other."""
    by_service = {one.component: one for one in containers}
    sorter = TopologicalSorter(NEEDS)
    sorter.prepare()
    batches = []
    while sorter.is_active():
        ready = sorter.get_ready()
        sorter.done(*ready)
        batches.append([by_service[service] for service in ready if service in by_service])
    return [batch for batch in batches if batch]


def _stop(view: EngineView, one: ContainerView, show: Show) -> str:
    show(one.component, "stopping")
    return _refusal(one, show, lambda: view.stop(one.id))


def _start(view: EngineView, one: ContainerView, show: Show) -> str:
    show(one.component, STARTING)
    refusal = _refusal(one, show, lambda: view.start(one.id))
    if not refusal:
        show(one.component, "waiting for health")
    return refusal


def _refusal(one: ContainerView, show: Show, work: Callable[[], None]) -> str:
    """Do something with a container; return the engine's refusal, if any."""
    try:
        work()
    except APIError as error:
        show(one.component, "failed")
        return f"{one.name}: {error.explanation}"
    return ""


def _wait(environment: EnvironmentHandle, containers: Collection[ContainerView], progress: UpdateProgress) -> list[str]:
    """Wait until all are healthy, or one has failed or takes too long; return the reports of those."""
    view, components = environment.view, {one.component for one in containers}
    _, unhealthy = health.settled(view, environment.name, environment.clone.id, components, progress.on_started)
    failed = [one for one in unhealthy if one.has_failed]
    for one in failed:
        progress.show(one.component, "failed")
    return [failure_report.report(view, one) for one in failed or unhealthy]
