"""Makes an environment whose last update was broken off, or whose containers were stopped, ready for the next one.

What is not in Pulumi's state but carries our labels is an orphan of a killed update: containers and networks hold
nothing and are removed; volumes hold data and are left, to be taken up again by the next update.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from cli.engine.container import ContainerView, made_by_updates
from cli.engine.inventory import EngineView
from cli.pulumi import locks
from cli.pulumi.process import Pulumi
from cli.pulumi.stack_state import CONTAINER, NETWORK

Say = Callable[[str], None]

_LEFT = "left by a broken-off update"


def recover(pulumi: Pulumi, view: EngineView, stack: str, owner: str, say: Say) -> bool:
    """Mend what a broken-off update or a stopped container left.

    What runs beside the services, such as tests, is left alone: see `remove_guests`.

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
    locks.release_dead(pulumi, stack, say)
    containers = [one for one in view.containers(stack, owner) if made_by_updates(one.component)]
    state = _state(pulumi, stack)
    broken_off = _forget_broken_off(state)
    if broken_off:
        say("An earlier update was broken off; going on from where it stopped.")
        pulumi.run("stack", "import", "--stack", stack, stdin=json.dumps(state))
    recorded = _recorded_ids(state)
    networks = view.networks(stack, owner)
    cut_off = bool(_recorded_ids(state, NETWORK) - set(networks.values()))
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
    return broken_off or cut_off or not kept >= _recorded_ids(state, CONTAINER)


def remove_guests(view: EngineView, stack: str, owner: str, say: Say) -> None:
    """Remove what runs beside an environment's services, before their network goes.

    Args:
        view: The engine.
        stack: Which environment.
        owner: This clone.
        say: Told what is done.
    """
    for container in view.containers(stack, owner):
        if not made_by_updates(container.component):
            say(f"Removing {container.name}, which runs beside {stack}.")
            view.remove_container(container.id)


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
