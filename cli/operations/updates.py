"""Runs Pulumi's updates of several environments at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from cli.core import signals
from cli.core.errors import UserError
from cli.engine import failure_report
from cli.engine.health import Watch, Watched
from cli.engine.inventory import EngineView
from cli.environments import preflight
from cli.operations.session import Session
from cli.operations.update_progress import UpdateProgress, display
from cli.pulumi.events import Supervisor
from cli.ui.console import err
from infra.config_values import seconds


@dataclass(frozen=True)
class Updates:
    """What the updates have in common.

    Args:
        session: The prepared clone.
        command: `up`, `down` or `destroy`.
        patience: Seconds that they may take from the start; None: as long as each service's health check allows.
    """

    session: Session
    command: str
    patience: float | None = None

    def run(self, flags: Mapping[str, Sequence[str]]) -> None:
        """Run an update of each environment, and show what they do.

        Args:
            flags: Further flags of Pulumi, by environment.

        Raises:
            UserError: Some did not succeed; the others were run to their end.
            KeyboardInterrupt: The user interrupted them.
        """
        stacks = list(flags)
        with (
            signals.noted() as interrupted,
            display(stacks, err) as followed,
            ThreadPoolExecutor(len(stacks)) as pool,
        ):
            futures = [
                pool.submit(self._one, stack, flags[stack], progress, interrupted)
                for stack, progress in zip(stacks, followed, strict=True)
            ]
            while wait(futures, signals.INTERVAL).not_done:
                pass
        _raise_failures(futures)

    def _one(self, stack: str, flags: Sequence[str], progress: UpdateProgress, interrupted: threading.Event) -> None:
        watch = self._watch(stack, progress) if self.command == "up" else None
        late = Late(self.patience)
        broken: Callable[[], bool] = (lambda: watch.sees_failure() or late()) if watch else late
        supervisor = Supervisor(progress.on_event, broken, interrupted)
        pulumis = "up" if self.command == "up" else "destroy"
        if not self.session.pulumi.update(pulumis, stack, *flags, supervisor=supervisor):
            given_up = [late.reason] if late.happened else watch.reasons if watch else []
            reports = watch.reports() if watch else []
            raise failure_report.update_failed(self.command, stack, given_up or progress.errors, reports)

    def _watch(self, stack: str, progress: UpdateProgress) -> Watch:
        # A client of its own: it is not made for several threads.
        engine, owner = EngineView(self.session.connect()), self.session.clone.id
        # What was there before is stopped on purpose where it is replaced.
        old = {one.id for one in engine.containers(stack, owner)}
        wait = seconds(preflight.configuration(self.session.clone.root, stack).health.wait)
        return Watch(Watched(engine, stack, owner, old, wait, progress.on_containers, progress.tell))


class Late:
    """Tells when patience has ended.

    Args:
        patience: Seconds from now; None for ever.

    Attributes:
        happened: Whether it told so.
    """

    def __init__(self, patience: float | None) -> None:
        self._patience, self._began = patience, time.monotonic()
        self.happened = False

    def __call__(self) -> bool:
        """Return whether it has ended."""
        self.happened = self._patience is not None and time.monotonic() - self._began > self._patience
        return self.happened

    @property
    def reason(self) -> str:
        """What is told then."""
        return f"It was not done within {self._patience:g} s (--wait-timeout)."


def _raise_failures(futures: Sequence[Future[None]]) -> None:
    raised = [error for error in (future.exception() for future in futures) if error is not None]
    failed = [error for error in raised if isinstance(error, UserError)]
    for error in raised:
        if error not in failed:
            raise error
    if len(failed) > 1:
        told = "\n\n".join("\n".join(part for part in (one.message, one.cause, one.remedy) if part) for one in failed)
        raise UserError(f"{len(failed)} environments failed.", cause=told)
    if failed:
        raise failed[0]
