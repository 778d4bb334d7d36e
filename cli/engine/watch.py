"""Watches an environment's containers during an update, for one that takes long or can't become healthy any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from docker.errors import DockerException
from requests import RequestException

from cli.engine import failure_report
from cli.engine.container import ContainerView
from cli.engine.inventory import EngineView

QUIET = 15.0
"""Seconds that a service may take to become healthy before its last lines are shown, and again whenever so many more
have passed and it said something else; it mostly takes less than 5."""


@dataclass(frozen=True)
class Watched:
    """What is watched, and who is told."""

    view: EngineView
    stack: str
    owner: str
    old: Collection[str]
    wait: float
    seen: Callable[[Sequence[ContainerView]], None] = lambda _: None
    tell: Callable[[str], None] = lambda _: None

    def containers(self) -> list[ContainerView]:
        """Return the new containers."""
        return [one for one in self.view.containers(self.stack, self.owner) if one.id not in self.old]

    def report(self, container: ContainerView) -> str:
        """Return what a container has to say."""
        return failure_report.report(container, self.view.last_lines(container.id, failure_report.LOG_LINES))


class Watch:
    """Watches an environment's containers during an update, for one that can't become healthy any more."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._starts: dict[str, tuple[str, float]] = {}
        self._told: dict[str, tuple[float, str]] = {}
        self._reports: list[str] = []
        self.reasons: list[str] = []

    def sees_failure(self) -> bool:
        """Return whether a new container has failed; what it has to say is kept, for it may be gone a moment later."""
        try:
            new = self._watched.containers()
            self.reasons.clear()
            self._watched.seen(new)
            failed = [one for one in new if failure_report.has_failed(one) or self._gives_up(one)]
            self._reports = self._reports or [self._watched.report(one) for one in failed]
        except (DockerException, RequestException):
            return False  # the engine went away; Pulumi will say so
        return bool(failed)

    def reports(self) -> list[str]:
        """Return what the containers that aren't well have to say, now or when they failed."""
        try:
            return self._reports or [self._watched.report(one) for one in self._watched.containers() if not one.is_fine]
        except (DockerException, RequestException):
            return []  # Pulumi's own words are all there is

    def _gives_up(self, container: ContainerView) -> bool:
        """Tell whether a service that runs, and may yet seem to come, won't."""
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
        due, said = self._told.get(container.id, (QUIET, ""))
        if waited > due:
            report = self._watched.report(container)
            self._told[container.id] = (waited + QUIET, report)
            if report != said:
                self._watched.tell(report)
        return False
