"""Waits until an environment's services are healthy, or one of them can't become so any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from docker.errors import DockerException
from requests import RequestException

from cli.core.wait import until
from cli.engine import failure_report
from cli.engine.container import ContainerView
from cli.engine.inventory import EngineView

SECONDS = 120.0
"""How long a service that was healthy before may take to be so again."""

QUIET = 15.0
"""Seconds that a service may take to become healthy before its last lines are shown, and again whenever as many more
have passed and they changed; it mostly takes less than 5."""


def settled(view: EngineView, stack: str, owner: str, seconds: float = SECONDS) -> list[ContainerView]:
    """Wait until an environment's services are healthy or one has failed; return those that aren't healthy."""
    unhealthy: list[ContainerView] = []

    def over() -> bool:
        services = [one for one in view.containers(stack, owner) if one.is_service]
        unhealthy[:] = [one for one in services if not one.is_fine]
        return not unhealthy or any(one.has_failed for one in unhealthy)

    until(over, seconds)
    return unhealthy


@dataclass(frozen=True)
class Watched:
    """What is watched during an update, and what is called meanwhile."""

    view: EngineView
    stack: str
    owner: str
    old: Collection[str]
    """Ids of containers that were there before."""
    wait: float
    """Seconds that a service may take to become healthy."""
    seen: Callable[[Sequence[ContainerView]], None] = lambda _: None
    """Gets the new containers at each look."""
    show: Callable[[str], None] = lambda _: None
    """Gets the report of a service that takes long."""

    def containers(self) -> list[ContainerView]:
        """Return the new containers."""
        return [one for one in self.view.containers(self.stack, self.owner) if one.id not in self.old]

    def report(self, container: ContainerView) -> str:
        """Return a container's state and last lines."""
        return failure_report.report(container, self.view.last_lines(container.id, failure_report.LOG_LINES))


class Watch:
    """Looks at an update's containers for one that can't become healthy any more."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._starts: dict[str, tuple[str, float]] = {}
        self._shown: dict[str, tuple[float, str]] = {}
        self._reports: list[str] = []
        self.reasons: list[str] = []
        """Why the update can't succeed, where that doesn't show in a container's state."""

    def sees_failure(self) -> bool:
        """Return whether a new container has failed; its report is made at once, before it is removed."""
        try:
            new = self._watched.containers()
            self.reasons.clear()
            self._watched.seen(new)
            failed = [one for one in new if one.has_failed or self._will_not_become_healthy(one)]
            self._reports = self._reports or [self._watched.report(one) for one in failed]
        except (DockerException, RequestException):
            return False  # the engine is lost; Pulumi reports that
        return bool(failed)

    def reports(self) -> list[str]:
        """Return the reports of the containers that failed or aren't healthy."""
        try:
            return self._reports or [self._watched.report(one) for one in self._watched.containers() if not one.is_fine]
        except (DockerException, RequestException):
            return []

    def _will_not_become_healthy(self, container: ContainerView) -> bool:
        if not container.is_service or container.state != "running" or container.is_fine:
            return False
        started, since = self._starts.setdefault(container.id, (container.started, time.monotonic()))
        waited = time.monotonic() - since
        if started != container.started:
            self.reasons.append(f"{container.name} ended and was started again.")
            return True
        if waited > self._watched.wait:
            wait = f"{self._watched.wait:g} s (dashtam:health.wait)"
            self.reasons.append(f"{container.name} was not healthy within {wait}.")
            return True
        self._show_if_slow(container, waited)
        return False

    def _show_if_slow(self, container: ContainerView, waited: float) -> None:
        due, before = self._shown.get(container.id, (QUIET, ""))
        if waited <= due:
            return
        report = self._watched.report(container)
        self._shown[container.id] = (waited + QUIET, report)
        if report != before:
            self._watched.show(report)
