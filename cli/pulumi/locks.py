"""Pulumi's file backend as killed processes leave it: who holds a lock is waited for, what the dead left is removed.

Beside each file the backend keeps one with its attributes, which it writes in place: killed there, it leaves that
empty, and can't read the state beside it any more ("failed to load checkpoint: EOF"). Without it, it takes defaults.
"""

from __future__ import annotations

import json
import shlex
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from cli.core.errors import UserError
from cli.core.wait import until
from cli.pulumi import backend
from cli.pulumi.backend import Folder
from cli.pulumi.process import Pulumi
from cli.ui.console import announce

TIMEOUT = 600.0
"""Seconds."""


@dataclass(frozen=True)
class Lock:
    """A lock of Pulumi's file backend."""

    path: Path
    pid: int
    host: str

    @property
    def is_local(self) -> bool:
        """Whether it was taken on this machine, under the name that it has now."""
        return self.host == socket.gethostname()

    @property
    def is_held(self) -> bool:
        """Whether the process that took it may still run."""
        if not self.is_local:
            return True
        try:
            return self.pid > 0 and "pulumi" in psutil.Process(self.pid).name()
        except psutil.NoSuchProcess:
            return False


def found(folder: Folder, stack: str) -> list[Lock]:
    """Return the locks on a stack, usually none or one."""
    locks = []
    for path in folder.locks(stack):
        with suppress(FileNotFoundError):
            locks.append(_lock(path))
    return locks


def _lock(path: Path) -> Lock:
    try:
        content = json.loads(path.read_text())
        return Lock(path, int(content["pid"]), content["hostname"])
    except (ValueError, KeyError):
        # Pulumi writes it in one go: one that can't be read was left by a crash of the machine.
        return Lock(path, 0, socket.gethostname())


def release_dead(pulumi: Pulumi, stack: str) -> None:
    """Wait for another update of the stack; remove the lock of one that died, and unreadable attributes."""
    folder = backend.folder(pulumi.environ, pulumi.root)
    for lock in found(folder, stack) if folder else ():
        if lock.is_held:
            announce(_waits(lock, stack))
            _wait_for(lock, stack)
        if lock.path.exists():
            announce(f"Removing the lock of an update that died (pid {lock.pid}).")
            lock.path.unlink(missing_ok=True)
    for path in folder.attributes(stack) if folder else ():
        _remove_if_broken(path)


def _remove_if_broken(path: Path) -> None:
    try:
        json.loads(path.read_text())
    except ValueError:
        path.unlink(missing_ok=True)


def _waits(lock: Lock, stack: str) -> str:
    if lock.is_local:
        return f"Another update of {stack} is running (pid {lock.pid}); waiting for it."
    return (
        f"{stack} is locked by an update on {lock.host} (pid {lock.pid}); waiting for it. If none runs there, as when"
        f" this machine was called so before, release it: rm {shlex.quote(str(lock.path))}"
    )


def _wait_for(lock: Lock, stack: str) -> None:
    if not until(lambda: not (lock.path.exists() and lock.is_held), TIMEOUT):
        raise UserError(
            f"{stack} is still being updated by another process (pid {lock.pid} on {lock.host}).",
            cause=f"It has not finished within {TIMEOUT / 60:.0f} minutes.",
            remedy=f"Look at that process; if it has died, release its lock: rm {shlex.quote(str(lock.path))}",
        )
