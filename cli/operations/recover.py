"""Prepares an environment whose last update was interrupted, or whose containers were stopped, for the next update.

What carries our labels but isn't in Pulumi's state is an orphan of a killed update: containers, networks, and a
Swarm's services and secrets are removed; volumes hold data and are left to the next update, which adopts them.
"""

from __future__ import annotations

import json
from typing import Any

from cli.engine.container import ContainerView, made_by_updates
from cli.operations.session import Session
from cli.pulumi import locks
from cli.pulumi.stack_state import CONTAINER, NETWORK
from cli.ui.console import announce

_LEFT = "left by an interrupted update"


def recover(session: Session, stack: str) -> bool:
    """Clean up after an interrupted update or a stopped container; return whether the next update must refresh first.

    What runs beside the services, such as tests, is left alone: see `remove_test_container`.
    """
    locks.release_dead(session.pulumi, stack)
    found = session.engine.containers(stack, session.clone.id)
    # A Swarm replaces what fails by itself.
    containers = [one for one in found if made_by_updates(one.component) and not one.replica]
    deployment = session.pulumi.deployment(stack)
    interrupted = _forget_interrupted(deployment)
    if interrupted:
        announce("An earlier update was interrupted; continuing from there.")
        state = json.loads(session.pulumi.run("stack", "export", "--stack", stack))
        _forget_interrupted(state["deployment"])
        session.pulumi.run("stack", "import", "--stack", stack, stdin=json.dumps(state))
    recorded = _recorded_ids(deployment)
    networks = session.engine.networks(stack, session.clone.id)
    cut_off = bool(_recorded_ids(deployment, NETWORK) - networks.keys())
    reasons = {one.id: _reason_to_remove(one, recorded, cut_off=cut_off) for one in containers}
    for container in containers:
        if reason := reasons[container.id]:
            announce(f"Removing {container.name}: {reason}.")
            session.engine.remove_container(container.id)
    for service in session.engine.services(stack, session.clone.id):
        if service.id not in recorded:
            announce(f"Removing {service.name}: {_LEFT}.")
            session.engine.remove_service(service.id)
    for name, secret in session.engine.secrets(stack, session.clone.id).items():
        if secret not in recorded:
            announce(f"Removing {name}: {_LEFT}.")
            session.engine.remove_secret(secret)
    for network, name in networks.items():
        if network not in recorded:
            announce(f"Removing {name}: {_LEFT}.")
            session.engine.remove_network(network)
    remaining = {key for key, reason in reasons.items() if not reason}
    return interrupted or cut_off or not remaining >= _recorded_ids(deployment, CONTAINER)


def remove_test_container(session: Session, stack: str) -> None:
    """Remove the container of tests inside an environment, before the network is removed."""
    for container in session.engine.containers(stack, session.clone.id):
        if not made_by_updates(container.component):
            announce(f"Removing {container.name}, the test container of {stack}.")
            session.engine.remove_container(container.id)


def _forget_interrupted(deployment: dict[str, Any]) -> bool:
    """Remove the notes of an interrupted update from a deployment; return whether there were any.

    Whether an operation was done is found at the next refresh. With its note that a resource was deleted to be
    replaced, Pulumi 3.259 would pass that resource over in the refresh and then delete it once more if what it depends
    on is replaced too.
    """
    pending = bool(deployment.pop("pending_operations", None))
    replaced = [one for one in deployment.get("resources") or [] if one.pop("pendingReplacement", False)]
    return pending or bool(replaced)


def _recorded_ids(deployment: dict[str, Any], kind: str | None = None) -> set[str]:
    """Return the ids of what is to stay: not of what was replaced, and could not be deleted yet."""
    resources = [one for one in deployment.get("resources") or [] if not one.get("delete")]
    return {one["id"] for one in resources if one.get("id") and kind in {None, one["type"]}}


def _reason_to_remove(container: ContainerView, recorded: set[str], *, cut_off: bool) -> str:
    if container.id not in recorded:
        return _LEFT
    if not container.is_service:
        return "" if container.is_fine else container.state
    if container.state != "running" or container.health == "unhealthy":
        return container.health if container.state == "running" else container.state
    return "its network does not exist" if cut_off else ""
