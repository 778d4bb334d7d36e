"""Runs one Pulumi update as a child process that can be interrupted, and passes on its engine events.

`pulumi up --json` is used rather than the Automation API: that imports for 0.8 s, runs the CLI three more times after
an update, and can't interrupt one.
"""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WATCH_INTERVAL = 0.5
INTERRUPT_GRACE = 3.0
"""Seconds. A plugin that waits for a container's health ignores the first interrupt."""

Event = dict[str, Any]
"""An engine event as Pulumi prints it."""


@dataclass
class Update:
    """A running `pulumi up` or `pulumi destroy`.

    Attributes:
        inherited: Descriptors that Pulumi holds open as long as it runs.
        started: Whether Pulumi came as far as its engine.
        interrupted: Whether it was ended early.
        stderr: What it wrote to standard error, once it has ended.
    """

    inherited: Collection[int] = ()
    started: bool = False
    interrupted: bool = False
    stderr: str = ""

    def run(
        self,
        command: Sequence[str],
        root: Path,
        environ: Mapping[str, str],
        on_event: Callable[[Event], None],
        must_end: Callable[[], bool],
    ) -> bool:
        """Run it to its end, or interrupt it once `must_end`; return whether it succeeded.

        What is under way when it is interrupted is finished if that takes a moment; else the next update recovers it.
        """
        ended = threading.Event()
        with tempfile.TemporaryFile("w+") as stderr:
            try:
                with subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    text=True,
                    pass_fds=self.inherited,
                    start_new_session=True,  # the terminal's Ctrl-C must not reach it at the same time
                    cwd=root,
                    env=dict(environ),
                ) as process:
                    watcher = threading.Thread(target=self._watch, args=(process, must_end, ended))
                    watcher.start()
                    for event in events(process.stdout or ()):
                        self.started = self.started or "preludeEvent" in event
                        on_event(event)
            finally:
                ended.set()
            watcher.join()
            stderr.seek(0)
            self.stderr = stderr.read()
        return process.returncode == 0

    def _watch(self, process: subprocess.Popen[str], must_end: Callable[[], bool], ended: threading.Event) -> None:
        while not ended.wait(WATCH_INTERVAL):
            if process.poll() is not None:
                return  # a plugin that outlives it holds its output open
            if must_end():
                self.interrupted = True
                process.send_signal(signal.SIGINT)
                if not ended.wait(INTERRUPT_GRACE):
                    process.send_signal(signal.SIGINT)
                return


def events(lines: Iterable[str]) -> Iterator[Event]:
    """Parse the engine events among the lines of `pulumi up --json`."""
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event
