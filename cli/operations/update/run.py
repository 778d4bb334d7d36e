"""Runs Pulumi's updates of several environments at the same time."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Literal

from cli.core import signals
from cli.core.errors import UserError
from cli.engine import failure_report
from cli.environments import targets
from cli.operations.session import Session
from cli.operations.update.progress import UpdateProgress, display
from cli.operations.update.swarm_watcher import SwarmWatcher
from cli.operations.update.watcher import Watcher
from cli.pulumi.language_host import LanguageHost
from cli.ui.console import err


@dataclass(frozen=True)
class Updates:
    """The updates that one command runs.

    Args:
        hosts: What runs the program, by stack; Pulumi's own host for the others.
        timeout: Seconds that `up` may take from the start; None: as long as each service's health check allows.
    """

    session: Session
    command: Literal["up", "down", "destroy"]
    timeout: float | None = None
    hosts: Mapping[str, LanguageHost] = field(default_factory=dict)

    def run(self, flags: Mapping[str, Sequence[str]]) -> None:
        """Run an update of each environment to its end, with additional flags of Pulumi, and show their progress.

        Raises:
            UserError: Some did not succeed.
            KeyboardInterrupt: The user interrupted them.
        """
        stacks = list(flags)
        with (
            signals.noted() as interrupted,
            display(stacks, err) as displayed,
            ThreadPoolExecutor(len(stacks)) as pool,
        ):
            futures = [
                pool.submit(self._run, stack, flags[stack], progress, interrupted)
                for stack, progress in zip(stacks, displayed, strict=True)
            ]
            while wait(futures, signals.INTERVAL).not_done:
                pass
        if interrupted.is_set():
            raise KeyboardInterrupt
        _raise_failures(dict(zip(stacks, futures, strict=True)))

    def _run(self, stack: str, flags: Sequence[str], progress: UpdateProgress, interrupted: threading.Event) -> None:
        watcher = self._watcher(stack, progress) if self.command == "up" else None
        succeeded = self.session.pulumi.update(
            "up" if self.command == "up" else "destroy",
            stack,
            *flags,
            host=self.hosts.get(stack),
            on_event=progress.on_event,
            must_end=lambda: interrupted.is_set() or (watcher is not None and watcher.sees_failure()),
        )
        if not succeeded:
            reasons, reports = (watcher.reasons, watcher.reports()) if watcher else ([], [])
            raise failure_report.update_failed(
                self.command, stack, reasons or progress.errors, reports, progress.reported
            )

    def _watcher(self, stack: str, progress: UpdateProgress) -> Watcher | SwarmWatcher:
        kind = SwarmWatcher if targets.is_swarm(stack, self.session.clone.root) else Watcher
        return kind(self.session, stack, progress, self.timeout)


def _raise_failures(futures: Mapping[str, Future[None]]) -> None:
    raised = {stack: error for stack, future in futures.items() if (error := future.exception()) is not None}
    failed = {stack: error for stack, error in raised.items() if isinstance(error, UserError)}
    for stack, error in raised.items():
        if stack not in failed:
            raise error
    if len(failed) > 1:
        causes = "\n\n".join("\n".join(filter(None, (one.message, one.cause))) for one in failed.values())
        raise UserError(f"{len(failed)} environments failed.", cause=causes, remedy=_remedies(failed))
    for error in failed.values():
        raise error


def _remedies(failed: Mapping[str, UserError]) -> str:
    """Return what to do, with the environments where they need different things."""
    found = {stack: error.remedy for stack, error in failed.items() if error.remedy}
    if len({*found.values()}) > 1:
        return "\n".join(f"{stack}: {remedy}" for stack, remedy in found.items())
    return next(iter(found.values()), "")
