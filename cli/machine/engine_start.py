"""Starting a Docker engine directly, where the machine starts no services, and waiting until it answers."""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.engine.connect import Engine, UnreachableError, probe
from cli.engine.endpoint import Endpoint

START_TIMEOUT_SECONDS = 40
"""An engine on a slow disk takes some seconds to answer."""

_POLL_SECONDS = 0.2
_LOG_LINES = 20


@dataclass(frozen=True)
class Daemon:
    """An engine that was started directly."""

    pid: int
    log: Path

    def ended(self) -> bool:
        """Return whether its process has ended."""
        try:
            return os.waitpid(self.pid, os.WNOHANG)[0] != 0
        except ChildProcessError:
            return True

    def end(self) -> None:
        """End its process, and wait until it has ended."""
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)

    def last_lines(self) -> str:
        """Return the end of its log."""
        with self.log.open(errors="replace") as file:
            return "".join(deque(file, _LOG_LINES)).rstrip()


def start_dockerd(argv: Sequence[str], log: Path) -> Daemon:
    """Start an engine that outlives this command and its terminal."""
    log.parent.mkdir(parents=True, exist_ok=True)
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    # Not subprocess.Popen, which warns of a process that outlives it.
    return Daemon(os.posix_spawnp(argv[0], list(argv), os.environ, file_actions=streams, setsid=True), log)


def wait_for_engine(endpoint: Endpoint, daemon: Daemon | None, *, timeout: float = START_TIMEOUT_SECONDS) -> Engine:
    """Wait until an engine answers; one that was started directly is ended if it doesn't."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            return probe(endpoint)
        except UnreachableError as error:
            ended = daemon is not None and daemon.ended()
            if ended or time.monotonic() > deadline:
                reason = "it ended at once" if ended else f"no answer within {timeout:.0f} s"
                raise UnreachableError(endpoint, reason + _give_up(daemon, ended=ended)) from error
        time.sleep(_POLL_SECONDS)


def _give_up(daemon: Daemon | None, *, ended: bool) -> str:
    if daemon is None:
        return ""
    if not ended:
        daemon.end()
    return f"; the end of its log:\n{daemon.last_lines()}"
