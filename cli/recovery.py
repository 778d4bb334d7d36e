"""Makes an environment whose last update was broken off, or whose containers were stopped, ready for the next one.

What is not in Pulumi's state but carries our labels is an orphan of a killed update: containers and networks hold
nothing and are removed; volumes hold data and are left, to be taken up again by the next update.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psutil

from cli.engine_view import ContainerView, EngineView
from cli.errors import UserError
from cli.pulumi import Pulumi
from infra.naming import PROJECT

Say = Callable[[str], None]

_CONTAINER = "docker:index/container:Container"
_NETWORK = "docker:index/network:Network"
_LEFT = "left by a broken-off update"

LOCK_WAIT = 600.0
LOCK_POLL = 0.2
"""Seconds."""


@dataclass(frozen=True)
class Lock:
    """A lock of Pulumi's file backend.

    Args:
        path: The lock file.
        pid: The process that took it.
        host: The machine it ran on.
    """

    path: Path
    pid: int
    host: str

    @property
    def is_held(self) -> bool:
        """Whether the process that took it may still run."""
        if self.host != socket.gethostname():
            return True
        try:
            return self.pid > 0 and "pulumi" in psutil.Process(self.pid).name()
        except psutil.NoSuchProcess:
            return False


def locks(backend_url: str, stack: str) -> list[Lock]:
    """Return the locks on a stack.

    Args:
        backend_url: The state backend; only file backends have such locks.
        stack: Which stack.

    Returns:
        The locks, usually none or one.
    """
    address = urlsplit(backend_url)
    if address.scheme != "file":
        return []
    folder = Path(unquote(address.path)) / ".pulumi/locks/organization" / PROJECT / stack
    found = []
    for path in folder.glob("*.json"):
        with suppress(FileNotFoundError):
            found.append(_lock(path))
    return found


def _lock(path: Path) -> Lock:
    try:
        content = json.loads(path.read_text())
        return Lock(path, int(content["pid"]), content["hostname"])
    except (ValueError, KeyError):
        # Pulumi writes it at one stroke: one that can't be read was broken off with the machine.
        return Lock(path, 0, socket.gethostname())


def recover(pulumi: Pulumi, view: EngineView, stack: str, owner: str, say: Say) -> bool:
    """Mend what a broken-off update or a stopped container left.

    Args:
        pulumi: Pulumi in this clone.
        view: The engine.
        stack: Which environment.
        owner: This clone.
        say: Told what is done.

    Returns:
        Whether the next update must refresh first, since the engine no longer has what the state says.

    Raises:
        UserError: Another update of the stack doesn't end.
    """
    release_dead_locks(pulumi, stack, say)
    containers = view.containers(stack, owner)
    state = _state(pulumi, stack)
    broken_off = _forget_broken_off(state)
    if broken_off:
        say("An earlier update was broken off; going on from where it stopped.")
        pulumi.run("stack", "import", "--stack", stack, stdin=json.dumps(state))
    recorded = _recorded_ids(state)
    networks = view.networks(stack, owner)
    cut_off = bool(_recorded_ids(state, _NETWORK) - set(networks.values()))
    kept = set()
    for container in containers:
        reason = _reason_to_go(container, recorded, cut_off=cut_off)
        if reason:
            say(f"Removing {container.name}: {reason}.")
            view.remove_container(container.id)
        else:
            kept.add(container.id)
    for name, network in networks.items():
        if network not in recorded:
            say(f"Removing {name}: {_LEFT}.")
            view.remove_network(network)
    return broken_off or cut_off or not kept >= _recorded_ids(state, _CONTAINER)


def release_dead_locks(pulumi: Pulumi, stack: str, say: Say) -> None:
    """Wait for another update of the stack, and remove the lock of one that died.

    Args:
        pulumi: Pulumi in this clone.
        stack: Which stack.
        say: Told what is done.

    Raises:
        UserError: The other update runs on another machine, or doesn't end.
    """
    for lock in locks(pulumi.environ.get("PULUMI_BACKEND_URL", ""), stack):
        if lock.is_held:
            say(f"Another update of {stack} is running (pid {lock.pid}); waiting for it.")
            _wait_for(lock, stack)
        if lock.path.exists():
            say(f"Removing the lock of an update that died (pid {lock.pid}).")
            lock.path.unlink(missing_ok=True)


def _wait_for(lock: Lock, stack: str) -> None:
    deadline = time.monotonic() + LOCK_WAIT
    while lock.path.exists() and lock.is_held:
        if time.monotonic() > deadline:
            raise UserError(
                f"{stack} is still being updated by another process (pid {lock.pid} on {lock.host}).",
                cause=f"It has not finished within {LOCK_WAIT / 60:.0f} minutes.",
                remedy=f"Look at that process; if it has died, run `pulumi cancel --stack {stack}`.",
            )
        time.sleep(LOCK_POLL)


def _state(pulumi: Pulumi, stack: str) -> dict[str, Any]:
    exported: dict[str, Any] = json.loads(pulumi.run("stack", "export", "--stack", stack))
    return exported


def _forget_broken_off(state: dict[str, Any]) -> bool:
    """Take what Pulumi noted of a broken-off update out of a state, and tell whether there was any.

    Whether an operation went through is told by the engine, at the next refresh. With its note that a resource was
    deleted to be replaced, Pulumi 3.259 would pass that resource over in the refresh and then delete it once more if
    what it depends on is replaced too.
    """
    noted = bool((state.get("deployment") or {}).pop("pending_operations", None))
    replaced = [one for one in _resources(state) if one.pop("pendingReplacement", False)]
    return noted or bool(replaced)


def _resources(state: dict[str, Any]) -> list[dict[str, Any]]:
    return (state.get("deployment") or {}).get("resources") or []


def _recorded_ids(state: dict[str, Any], kind: str | None = None) -> set[str]:
    return {one["id"] for one in _resources(state) if one.get("id") and kind in {None, one["type"]}}


def _reason_to_go(container: ContainerView, recorded: set[str], *, cut_off: bool) -> str:
    if container.id not in recorded:
        return _LEFT
    if not container.is_service:
        return "" if container.is_fine else container.state
    if container.state != "running" or container.health == "unhealthy":
        return container.health if container.state == "running" else container.state
    return "its network is gone" if cut_off else ""
