"""Watches an environment's services on a Swarm during an update: how far it is, and why it is taken back."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import cast

from docker.errors import DockerException
from requests import RequestException

from cli.core.errors import UserError
from cli.engine import failure_report
from cli.engine.swarm import SwarmView
from cli.environments import targets
from cli.operations.session import Session
from cli.operations.update.progress import UpdateProgress
from cli.operations.update.watcher import out_of_time

INTERVAL = 1.0
"""Seconds between two looks: each asks the manager three times."""


class SwarmWatcher:
    """Watches the services that an update changes. Only time ends it early: the Swarm itself takes back what fails.

    Attributes:
        reasons: Why the update failed, where the Swarm or the time says so.
    """

    def __init__(self, session: Session, stack: str, progress: UpdateProgress, timeout: float | None) -> None:
        self.reasons: list[str] = []
        # A client of its own: each update is watched in another thread.
        self._view = cast(SwarmView, targets.view(session.connect(), session.clone.root))
        self._stack, self._owner = stack, session.clone.id
        self._progress, self._timeout = progress, timeout
        self._began = self._looked = time.monotonic()
        self._since = self._view.now()
        self._reports: dict[str, str] = {}
        self._reported: set[str] = set()
        self._recovered: set[str] = set()

    def sees_failure(self) -> bool:
        """Return whether time is up; the logs of tasks that failed are kept, as these may be removed."""
        if reasons := out_of_time(self._began, self._timeout):
            self.reasons = reasons
            return True
        if time.monotonic() - self._looked >= INTERVAL:
            self._look()
            self._looked = time.monotonic()
        return False

    def reports(self) -> list[str]:
        """Return the state and log of each service's task that failed last."""
        self._look()
        return [report for component, report in self._reports.items() if component not in self._recovered]

    def _look(self) -> None:
        try:
            found = self._view.services(self._stack, self._owner)
            # What became of an earlier update is not of this one.
            services = [one if one.began > self._since else replace(one, update="") for one in found]
            self._progress.on_services(services)
            failed = self._view.failures(self._stack, self._owner, self._since)
            for one in reversed(failed):
                if one.id not in self._reported:
                    self._reported.add(one.id)
                    self._reports[one.component] = failure_report.report(self._view, one)
            back = [one for one in services if one.is_rolled_back]
            self.reasons = [failure_report.rolled_back(one) for one in back]
            self._recovered = {one.component for one in services if one.is_fine and one not in back}
        except (DockerException, RequestException, UserError):
            return  # the manager is away; Pulumi reports that
