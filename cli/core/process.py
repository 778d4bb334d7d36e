"""Running long commands: line by line, bounded in time, and never left behind."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

TAIL_LINES = 25
"""How much of a failed command's output is kept to be shown."""

_TICK_SECONDS = 1.0
_KILL_AFTER_SECONDS = 5.0


@dataclass(frozen=True)
class Watcher:
    """What is told of a command while it runs."""

    on_line: Callable[[str], None] = lambda _: None
    on_tick: Callable[[], None] = lambda: None


UNWATCHED = Watcher()
"""Tells nobody."""


class CommandError(Exception):
    """A command ended with a failure, or took too long."""

    def __init__(self, argv: Sequence[str], reason: str, tail: Sequence[str]) -> None:
        super().__init__(f"`{' '.join(argv[:4])}` {reason}")
        self.reason = reason
        self.tail = "\n".join(tail)


def run_lines(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    timeout: float,
    cwd: Path | None = None,
    watcher: Watcher = UNWATCHED,
) -> list[str]:
    """Run a command to its end and hand on each line as it is printed.

    Whatever ends this call early (a signal, or a timeout) ends the command and all that it started.
    """
    with _started(argv, env=env, cwd=cwd) as child:
        lines = _collect(child, argv, timeout=timeout, watcher=watcher)
        status = child.wait()
    if status != 0:
        raise CommandError(argv, f"ended with status {status}", deque(lines, TAIL_LINES))
    return lines


def _collect(
    child: subprocess.Popen[str],
    argv: Sequence[str],
    *,
    timeout: float,
    watcher: Watcher,
) -> list[str]:
    deadline = time.monotonic() + timeout
    lines: list[str] = []
    pending: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    if child.stdout is not None:
        threading.Thread(target=_read, args=(child.stdout, pending), daemon=True).start()
    while True:
        watcher.on_tick()
        if time.monotonic() > deadline:
            raise CommandError(argv, f"was ended after {timeout:.0f} s", deque(lines, TAIL_LINES))
        try:
            line = pending.get(timeout=_TICK_SECONDS)
        except queue.Empty:
            if child.poll() is None:
                continue
            return lines  # a service that it started keeps the pipe open
        if line is None:
            return lines
        lines.append(line)
        watcher.on_line(line)


def _read(stream: IO[str], pending: queue.SimpleQueue[str | None]) -> None:
    # Only this thread may close it: closing waits for a read that is under way.
    with stream:
        for line in stream:
            pending.put(line.rstrip("\n"))
    pending.put(None)


@contextlib.contextmanager
def _started(argv: Sequence[str], *, env: Mapping[str, str], cwd: Path | None) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        argv,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            _end_group(child)


def _end_group(child: subprocess.Popen[str]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_KILL_AFTER_SECONDS)
            return
