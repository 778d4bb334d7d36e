"""Running programs: to their end, line by line or at once, bounded in time, and none left behind."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from cli.core import signals

TAIL_LINES = 25
"""How many last lines of a failed command its error has."""

_UMASK = 0o022
"""What a long command makes are packages, root file systems and programs, which other users may have to read."""

_TICK_SECONDS = 1.0
_KILL_AFTER_SECONDS = 5.0


class CommandError(Exception):
    """A command failed, took too long or is not installed; `tail` holds its last lines."""

    def __init__(self, argv: Sequence[str], reason: str, tail: Sequence[str] = ()) -> None:
        super().__init__(f"`{' '.join(argv[:4])}` {reason}")
        self.reason = reason
        self.tail = "\n".join(tail)


def output(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
    stdin: str | None = None,
) -> str:
    """Run a short command to its end and return its standard output; it may open the terminal, as sudo does."""
    try:
        done = subprocess.run(
            argv,
            env=env,
            timeout=timeout,
            stdin=subprocess.DEVNULL if stdin is None else None,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CommandError(argv, f"was ended after {timeout:.0f} s") from None
    except OSError as error:
        raise CommandError(argv, f"can't be run: {error.strerror}") from None
    if done.returncode != 0:
        raise CommandError(argv, _ended(done.returncode), (done.stderr or done.stdout).strip().splitlines())
    return done.stdout


def run_to_end(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdout: int | None = None) -> int:
    """Run a command on this terminal until it ends by itself, which a signal asks it to; return its status."""
    with (
        subprocess.Popen(argv, cwd=cwd, env=env, stdout=stdout) as child,
        signals.postponed(lambda number: _interrupt(number, child.pid)),
    ):
        while child.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(signals.INTERVAL)
    return child.returncode


def _interrupt(number: int, pid: int) -> None:
    """Interrupt a command and what it runs; Ctrl-C comes to them from the terminal itself."""
    import psutil  # noqa: PLC0415 - slow to import

    if number != signal.SIGINT:
        with contextlib.suppress(psutil.NoSuchProcess):
            command = psutil.Process(pid)
            for one in (command, *command.children()):
                one.send_signal(signal.SIGINT)


@contextlib.contextmanager
def piped(argv: Sequence[str]) -> Iterator[IO[bytes]]:
    """Run a command while its standard output is read; it fails at the end, or is killed if the block fails."""
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None  # noqa: S101 - for the type checker
        try:
            yield child.stdout
        except BaseException:
            child.kill()
            raise
    if child.returncode != 0:
        raise CommandError(argv, _ended(child.returncode))


def run_lines(
    argv: Sequence[str],
    *,
    timeout: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    on_line: Callable[[str], object] = lambda _: None,
) -> list[str]:
    """Run a command to its end and return the lines of both its streams.

    `on_line` gets each line as it comes, and an empty text where none came for a second. Whatever ends this call early
    ends the command and all that it started.
    """
    with _started(argv, env=env, cwd=cwd) as child:
        lines: list[str] = []
        deadline = time.monotonic() + timeout
        for line in _lines(child):
            if time.monotonic() > deadline:
                raise CommandError(argv, f"was ended after {timeout:.0f} s", deque(lines, TAIL_LINES))
            if line is not None:
                lines.append(line)
            on_line(line or "")
        status = child.wait()
    if status != 0:
        raise CommandError(argv, _ended(status), deque(lines, TAIL_LINES))
    return lines


def _lines(child: subprocess.Popen[str]) -> Iterator[str | None]:
    """Yield each line as it comes, and None where none came for a second."""
    pending: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(child.stdout, pending), daemon=True).start()
    while True:
        try:
            line = pending.get(timeout=_TICK_SECONDS)
        except queue.Empty:
            if child.poll() is not None:
                return  # a service that it started still has the pipe open
            yield None
            continue
        if line is None:
            return
        yield line


def _read(stream: IO[str], pending: queue.SimpleQueue[str | None]) -> None:
    # Only this thread may close it: closing waits for a read that is under way.
    try:
        with stream:
            for line in stream:
                pending.put(line.rstrip("\n"))
    finally:
        pending.put(None)


@contextlib.contextmanager
def _started(
    argv: Sequence[str], *, env: Mapping[str, str] | None, cwd: Path | None
) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        argv,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        umask=_UMASK,
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


def _ended(status: int) -> str:
    return f"ended with status {status}"
