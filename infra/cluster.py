"""The engine or the Swarm that an environment is to run on: whether it can, and what is there already."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import TYPE_CHECKING

from infra import engine
from infra.engine import EngineError, EngineObject, Inventory

if TYPE_CHECKING:
    import docker

    from infra.config.sections import TargetSettings

SERVICE_LABEL = "com.docker.swarm.service.name"
"""Of a task's container, as the engine of its node has it."""


def connect(target: TargetSettings) -> docker.DockerClient:
    """Return a client of the engine that keeps the data."""
    host = target.nodes[str(target.data_node)]
    return engine.connect({**os.environ, "DOCKER_HOST": host})


def take_inventory(manager: docker.DockerClient, target: TargetSettings, images: Collection[str]) -> Inventory:
    """Return what an engine has; of a Swarm's manager services, networks, and the volumes of the node with the data.

    `images` are the references of what is to run from the config's registry: each must be there.
    """
    if not target.is_swarm:
        return engine.take_inventory(manager)
    data = connect(target)
    swarm = manager.api.info().get("Swarm") or {}
    if not swarm.get("ControlAvailable"):
        host = os.environ.get("DOCKER_HOST") or engine.DEFAULT_HOST
        raise EngineError(
            f"The Docker engine at {host} is not a manager of a Swarm (its state is {swarm.get('LocalNodeState')}), and"
            " dashtam:target.kind is swarm. Set DOCKER_HOST to a manager's address, or make one: `docker swarm init`."
        )
    nodes = {one["ID"]: one["Description"]["Hostname"] for one in manager.api.nodes()}
    _require_data_node(data, target, nodes)
    published = {one: _published(manager, in_registry(str(target.registry), one)) for one in images}
    found = (*_services(manager), *engine.networks(manager), *engine.volumes(data))
    return Inventory(str(swarm["Cluster"]["ID"]), found, published)


def in_registry(registry: str, reference: str) -> str:
    """Return the reference under which a registry has an image: without the digest, which its own may differ from."""
    return f"{registry}/{reference.partition('@')[0]}"


def keys_in_use(client: docker.DockerClient, target: TargetSettings, postgres: str) -> set[str] | None:
    """Return the token keys that rows of a database need; None where no container runs it or its service."""
    if not target.is_swarm:
        return engine.keys_in_use(client, postgres)
    data = connect(target)
    found = data.api.containers(filters={"label": f"{SERVICE_LABEL}={postgres}"})
    return engine.keys_in_use(data, found[0]["Id"]) if found else None


def _published(manager: docker.DockerClient, reference: str) -> str:
    from docker.errors import APIError  # noqa: PLC0415 - slow to import

    try:
        digest = manager.api.inspect_distribution(reference)["Descriptor"]["digest"]  # type: ignore[no-untyped-call]
    except APIError as error:
        raise EngineError(
            f"{reference} can't be found in the registry: {error.explanation or error}. `./dashtam up` builds and"
            " pushes it. If the registry asks for a login: `docker login`."
        ) from None
    return f"{reference}@{digest}"


def _require_data_node(data: docker.DockerClient, target: TargetSettings, nodes: dict[str, str]) -> None:
    name, known = str(target.data_node), ", ".join(sorted(nodes.values()))
    if name not in nodes.values():
        raise EngineError(f"The Swarm has no node {name}, as dashtam:target.data_node says. Its nodes are {known}.")
    actual = nodes.get((data.api.info().get("Swarm") or {}).get("NodeID", ""), "of no node of this Swarm")
    if actual != name:
        raise EngineError(
            f"The engine at {target.nodes[name]} is not the one of {name}: it is {actual}. Correct"
            " dashtam:target.nodes; its volumes would be made there."
        )


def _services(manager: docker.DockerClient) -> list[EngineObject]:
    specs = (one["Spec"] for one in manager.api.services())  # type: ignore[no-untyped-call]
    return [EngineObject("service", spec["Name"], spec.get("Labels") or {}) for spec in specs]
