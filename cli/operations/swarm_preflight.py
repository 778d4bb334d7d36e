"""What prevents an environment from coming up on a Swarm, looked for before anything is changed."""

from __future__ import annotations

from cli.core.errors import UserError
from cli.engine.swarm import SwarmView
from infra.config.sections import TargetSettings

KEY = "dashtam:target"


def require_swarm(view: SwarmView, stack: str, target: TargetSettings) -> None:
    """Refuse a Swarm that can't run an environment: each node that it uses must be there, ready and reachable."""
    found = {one["Description"]["Hostname"]: one for one in view.node_documents()}
    if not found:
        raise UserError(
            f"{stack} needs a manager of a Swarm, and the Docker engine in use is not a Swarm manager.",
            cause=f"{KEY}.kind is swarm, and DOCKER_HOST or the Docker context names an engine that manages no Swarm.",
            remedy="Set DOCKER_HOST to a manager's address, or make a Swarm of this engine: `docker swarm init`.",
        )
    known, data = ", ".join(sorted(found)), str(target.data_node)
    for name in sorted({data, *target.nodes}):
        if name not in found:
            raise UserError(
                f"The Swarm has no node {name}, which {stack} needs.",
                cause=f"{KEY} names it; the nodes are {known}.",
                remedy=f"Correct {KEY}.data_node and {KEY}.nodes in Pulumi.{stack}.yaml: `docker node ls` lists nodes.",
            )
    state, availability = found[data]["Status"]["State"], found[data]["Spec"]["Availability"]
    if (state, availability) != ("ready", "active"):
        raise UserError(
            f"The node {data}, which keeps the data of {stack}, can't run its services.",
            cause=f"It is {state}, and its availability is {availability}.",
            remedy=f"Start it if it is down; or let it run services again: `docker node update --availability active"
            f" {data}`.",
        )
    for name in sorted(target.nodes):
        _require_same(view, name, str(found[name]["ID"]))
    missing = sorted(name for name, one in found.items() if name not in target.nodes and _runs(one))
    if target.registry is None and missing:
        raise UserError(
            f"The images of {stack} can't be brought to the nodes {', '.join(missing)}.",
            cause=f"Without {KEY}.registry they are loaded on each node, and {KEY}.nodes has no address of these.",
            remedy=f"Add their engines' addresses to {KEY}.nodes in Pulumi.{stack}.yaml, or name a registry.",
        )


def _runs(node: dict[str, dict[str, str]]) -> bool:
    return node["Status"]["State"] == "ready" and node["Spec"]["Availability"] == "active"


def _require_same(view: SwarmView, name: str, identity: str) -> None:
    node = view.node(name)
    there = (node.client.info().get("Swarm") or {}).get("NodeID")
    if there != identity:
        raise UserError(
            f"The engine at {node.address} is not the one of the node {name}.",
            cause=f"{KEY}.nodes gives {node.address} for {name}. The engine there is"
            f" {f'node {there}' if there else 'in no Swarm'}; {name} is node {identity}.",
            remedy=f"Correct the address of {name} in {KEY}.nodes: `docker node inspect {name}` shows where it is.",
        )
