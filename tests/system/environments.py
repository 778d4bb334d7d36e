"""A running environment as the engine holds it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.engine.inventory import EngineView, owner_of
from infra.naming import COMPONENT_LABEL, OWNER_LABEL, PROJECT, PROJECT_LABEL, SERVICES, STACK_LABEL

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    import docker
    from docker.models.containers import Container

    from infra.outputs import StackOutputs

INNER_PORTS = {"postgres": 5432, "redis": 6379, "app": 8000, "callback": 8182, "sandbox": 8282}
USERS = {"postgres": (70, 70), "redis": (999, 1000), **dict.fromkeys(("app", "callback", "sandbox"), (10001, 10001))}


@dataclass(frozen=True)
class Environment:
    """One environment.

    Args:
        name: The stack.
        root: The checkout that it was brought up from.
        environ: The environment in which plain `pulumi` finds its state.
        outputs: What it tells the world.
        client: The engine.
    """

    name: str
    root: Path
    environ: dict[str, str]
    outputs: StackOutputs
    client: docker.DockerClient

    def container(self, service: str) -> Container:
        """Return a service's container as it is now."""
        return self.client.containers.get(getattr(self.outputs.containers, service))

    def image(self, service: str) -> str:
        """Return the reference of the image that a service runs."""
        reference: str = getattr(self.outputs.images, service)
        return reference

    def inspect(self, service: str) -> dict[str, Any]:
        """Return what `docker inspect` says of a service."""
        document: dict[str, Any] = self.client.api.inspect_container(getattr(self.outputs.containers, service))
        return document

    def containers(self) -> dict[str, Container]:
        """Return all of its containers by component, those that install files too."""
        chosen = labelled(self.name, self.environ["DASHTAM_CLONE"])
        # Without `ignore_removed`, a container that is removed meanwhile is an error.
        found = self.client.containers.list(all=True, filters=chosen, ignore_removed=True)
        return {one.labels[COMPONENT_LABEL]: one for one in found}

    def address(self, service: str) -> str:
        """Return a service's address in its network."""
        networks = self.inspect(service)["NetworkSettings"]["Networks"]
        address: str = networks[self.outputs.network]["IPAddress"]
        return address

    def ids(self) -> dict[str, str]:
        """Return its containers' ids by component."""
        return {component: one.id or "" for component, one in self.containers().items()}

    def execute(self, service: str, *command: str) -> tuple[int, str]:
        """Run a command in a service's container, as its user."""
        status, output = self.container(service).exec_run(list(command))
        assert isinstance(status, int)
        assert isinstance(output, bytes)
        return status, output.decode(errors="replace")

    def run_beside(self, service: str, script: str, job: str) -> str:
        """Run a Python script in a service's network namespace, with its names, routes and rules.

        Args:
            service: Whose network to see.
            script: Python source of the standard library alone.
            job: Its argument; never a secret.

        Returns:
            Its standard output.
        """
        helper = self.client.containers.create(
            self.image("app"),
            ["python", "-c", script, job],
            name=f"dashtam-probe-{secrets.token_hex(4)}",
            network_mode=f"container:{self.container(service).id}",
        )
        try:
            helper.start()
            status = helper.wait()["StatusCode"]
            said = helper.logs(stdout=True, stderr=False).decode()
            assert status == 0, helper.logs().decode()
        finally:
            helper.remove(v=True, force=True)
        return said


def each_service(parts: Mapping[str, Environment]) -> Iterator[tuple[str, Environment, str]]:
    """Yield every service of environments: how a failure names it, its environment, and its name there."""
    for part, environment in parts.items():
        for service in SERVICES:
            yield f"{part} {service}", environment, service


def labelled(stack: str, owner: str = "") -> dict[str, str | list[str] | bool]:
    """Return the filter that finds all parts of an environment, of one clone if it is given."""
    labels = [f"{PROJECT_LABEL}={PROJECT}", f"{STACK_LABEL}={stack}"]
    return {"label": [*labels, f"{OWNER_LABEL}={owner}"] if owner else labels}


def is_up(client: docker.DockerClient, stack: str, owner: str = "", services: Collection[str] = SERVICES) -> bool:
    """Tell whether all services of an environment are healthy, or some of them."""
    found = client.api.containers(filters=labelled(stack, owner))
    healthy = {one["Labels"][COMPONENT_LABEL] for one in found if one["Status"].endswith("(healthy)")}
    return healthy >= {*services}


def remove_all(client: docker.DockerClient, stack: str, owner: str = "") -> None:
    """Remove whatever an environment left on the engine, of one clone if it is given."""
    view, chosen = EngineView(client), labelled(stack, owner)
    for container in client.api.containers(all=True, filters=chosen):
        view.remove_container(container["Id"])
    for network in client.api.networks(filters=chosen):
        view.remove_network(network["Id"])
    for volume in client.api.volumes(filters=chosen)["Volumes"] or []:
        view.remove_volume(volume["Name"], owner_of(volume))
