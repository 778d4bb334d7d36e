"""Ways in which an environment or an update of it comes to grief."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import psutil
from docker.errors import APIError

from cli.data.snapshots.pause import NOT_FROZEN
from tests.system.running import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker.models.containers import Container

    Kill = Callable[[subprocess.Popen[bytes]], None]
    """A way to kill a command."""

LAST_WORDS = 10.0
"""Seconds in which a process that was killed is gone."""


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a command alone, as the kernel does where memory is short."""
    process.kill()
    process.wait(LAST_WORDS)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a command and what shares its process group, as a closed terminal may; plugins have groups of their own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(LAST_WORDS)


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill a command and all that it started, as a crash of the machine does."""
    children: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(process.pid).children(recursive=True)
    # The command first: it must not come to its end by itself because what it started is gone.
    process.kill()
    for one in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    process.wait(LAST_WORDS)


def was_killed(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether a command was killed before it came to its end."""
    return process.wait(LAST_WORDS) == -signal.SIGKILL


def pause(container: Container) -> None:
    """Pause a container; on a busy machine the kernel doesn't always freeze one at once (moby/moby#48205)."""

    def is_paused() -> bool:
        try:
            container.pause()
        except APIError as error:
            if NOT_FROZEN not in str(error.explanation):
                raise
            return False
        return True

    wait_until(is_paused, f"{container.name} is paused", LAST_WORDS)


@contextlib.contextmanager
def at_latest_killed(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Leave nothing of a command behind."""
    try:
        yield
    finally:
        kill_all(process)


def interrupt(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGINT) -> None:
    """Ask a command and what shares its process group to end; it must not have ended by itself before."""
    assert process.poll() is None, f"it had ended already, with status {process.returncode}"
    os.killpg(process.pid, number)


def ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Tell whether a command ends by itself in a time."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
