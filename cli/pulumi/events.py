"""Runs one Pulumi update as a child that can be interrupted, and hands on its engine events.

`pulumi up --json` is used rather than the Automation API: that imports for 0.8 s, asks the CLI three more times after
an update, and gives no way to interrupt one.
"""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WATCH_INTERVAL = 0.25
INTERRUPT_GRACE = 3.0
"""Seconds. A plugin that waits for a container's health takes no notice of the first interrupt."""

Event = dict[str, Any]
"""An engine event as Pulumi prints it."""


@dataclass(frozen=True)
class Supervisor:
    """What follows an update, and says when it is to end.

    Args:
        on_event: Called with each engine event.
        broken: Asked often; once it is true the update is interrupted, for it can't succeed any more.
        interrupted: Set once the user has interrupted it; see `cli.core.signals`.
    """

    on_event: Callable[[Event], None]
    broken: Callable[[], bool]
    interrupted: threading.Event

    def must_end(self) -> bool:
        """Return whether the update is to be interrupted."""
        return self.interrupted.is_set() or self.broken()


@dataclass(frozen=True)
class Ended:
    """How an update ended.

    Args:
        succeeded: Whether it did all that it was to do.
        started: Whether it came as far as the engine.
        interrupted: Whether the user interrupted it.
        said: What it wrote to standard error.
    """

    succeeded: bool
    started: bool
    interrupted: bool
    said: str


def run(
    command: Sequence[str],
    *,
    root: Path,
    environ: Mapping[str, str],
    supervisor: Supervisor,
) -> Ended:
    """Run an update to its end.

    It is interrupted in good order: what is under way is finished if that takes a moment, and is left to the next
    update's recovery if it doesn't.

    Args:
        command: `pulumi up` or `destroy` with `--json`.
        root: The folder to run it in.
        environ: The complete environment to run it in.
        supervisor: What follows it, and says when it is to end.

    Returns:
        How it ended.
    """
    with tempfile.TemporaryFile("w+") as said:
        # In a session of its own it doesn't get the terminal's Ctrl-C at the same time.
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            start_new_session=True,
            cwd=root,
            env=dict(environ),
        )
        with child as process:
            watcher = threading.Thread(target=_watch, args=(process, supervisor.must_end))
            watcher.start()
            started = _pass_on(events(process.stdout or ()), supervisor.on_event)
            watcher.join()
        said.seek(0)
        return Ended(process.returncode == 0, started, supervisor.interrupted.is_set(), said.read())


def _watch(process: subprocess.Popen[str], must_end: Callable[[], bool]) -> None:
    while not _has_ended(process, WATCH_INTERVAL):
        if must_end():
            process.send_signal(signal.SIGINT)
            if not _has_ended(process, INTERRUPT_GRACE):
                process.send_signal(signal.SIGINT)
            return


def _has_ended(process: subprocess.Popen[str], within: float) -> bool:
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        return False
    return True


def _pass_on(found: Iterable[Event], on_event: Callable[[Event], None]) -> bool:
    started = False
    for event in found:
        started = started or "preludeEvent" in event
        on_event(event)
    return started


def events(lines: Iterable[str]) -> Iterator[Event]:
    """Parse engine events.

    Args:
        lines: Lines of `pulumi up --json`; what is no event is passed over.

    Yields:
        Events.
    """
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event
