"""Watches an environment's containers during an update: for one that takes long, or can't become healthy any more."""

from __future__ import annotations

import time
from contextlib import suppress

from docker.errors import DockerException, NotFound
from requests import RequestException

from cli.core.durations import seconds
from cli.engine.container import ContainerView
from cli.engine.failure_report import report
from cli.engine.inventory import EngineView
from cli.environments.configuration import configuration
from cli.operations.session import Session
from cli.operations.update.progress import UpdateProgress

QUIET = 15.0
"""Seconds until the last lines of a service that isn't healthy are shown, and between two looks for new ones; services
mostly take less than 5."""

GRACE = 5.0
"""Seconds that what is under way gets to end after a resource has failed; one that waits for that would wait long."""

FRESH = 1.0
"""Seconds that what is known of a container is taken for true while its status is the same."""


def out_of_time(began: float, timeout: float | None) -> list[str]:
    """Return why an update must end now that its time is over; nothing before, and where it has no end."""
    if timeout is None or time.monotonic() - began <= timeout:
        return []
    return [f"It was not done within {timeout:g} s (--wait-timeout)."]


class Watcher:
    """Watches the containers that an update makes, and has the reasons once that can't succeed any more."""

    def __init__(self, session: Session, stack: str, progress: UpdateProgress, timeout: float | None) -> None:
        self.reasons: list[str] = []
        # A client of its own: each update is watched in another thread.
        self._engine = EngineView(session.connect())
        self._stack, self._owner = stack, session.clone.id
        self._progress, self._timeout = progress, timeout
        self._wait = seconds(configuration(session.clone.root, stack).health.wait)
        self._began = time.monotonic()
        # What was there before is stopped on purpose where it is replaced.
        self._old = {one["Id"] for one in self._engine.summaries(stack, self._owner)}
        self._seen: dict[str, tuple[str, float, ContainerView]] = {}
        self._starts: dict[str, tuple[str, float]] = {}
        self._shown: dict[str, tuple[float, str]] = {}
        self._reports: list[str] = []
        self._failed: float | None = None

    def sees_failure(self) -> bool:
        """Return whether something failed or time is up; a failed container's logs are kept, as it may be removed."""
        if reasons := out_of_time(self._began, self._timeout):
            self.reasons = reasons
            return True
        if self._progress.errors:
            self._failed = self._failed or time.monotonic()
            if time.monotonic() - self._failed > GRACE:
                return True
        try:
            new = self._containers()
            self.reasons = []
            self._progress.on_containers(new)
            failed = [one for one in new if one.has_failed or self._takes_too_long(one)]
            self._reports = self._reports or [report(self._engine, one) for one in failed]
        except (DockerException, RequestException):
            return False  # the engine is away; Pulumi reports that
        return bool(failed)

    def reports(self) -> list[str]:
        """Return the states and logs of the containers that aren't healthy, now or when they failed."""
        try:
            return self._reports or [report(self._engine, one) for one in self._containers() if not one.is_fine]
        except (DockerException, RequestException):
            return []

    def _containers(self) -> list[ContainerView]:
        """Return the new containers; each is inspected when its status changes, and while it isn't fine each second."""
        listed = self._engine.summaries(self._stack, self._owner)
        status = {one["Id"]: f"{one['State']} {one['Status']}" for one in listed if one["Id"] not in self._old}
        for key, now in status.items():
            if not self._is_known(key, now):
                with suppress(NotFound):
                    self._seen[key] = (now, time.monotonic(), self._engine.container(key))
        return sorted((self._seen[key][2] for key in status if key in self._seen), key=lambda one: one.name)

    def _is_known(self, container: str, status: str) -> bool:
        if container not in self._seen:
            return False
        # A list says nothing of a health check's output; Podman's nothing of health.
        before, inspected, found = self._seen[container]
        return before == status and (found.is_fine or time.monotonic() - inspected < FRESH)

    def _takes_too_long(self, container: ContainerView) -> bool:
        """Return whether a service that runs won't become healthy."""
        if not container.is_service or container.state != "running" or container.is_fine:
            return False
        started, since = self._starts.setdefault(container.id, (container.started, time.monotonic()))
        waited = time.monotonic() - since
        if started != container.started:
            self.reasons.append(f"{container.name} ended and was started again.")
            return True
        if waited > self._wait:
            self.reasons.append(f"{container.name} was not healthy within {self._wait:g} s (dashtam:health.wait).")
            return True
        self._show_if_slow(container, waited)
        return False

    def _show_if_slow(self, container: ContainerView, waited: float) -> None:
        due, shown = self._shown.get(container.id, (QUIET, ""))
        if waited <= due:
            return
        slow = report(self._engine, container)
        self._shown[container.id] = (waited + QUIET, slow)
        if slow != shown:
            self._progress.show_report(slow)
