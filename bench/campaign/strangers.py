"""Things on the engine that are not the environment's: nothing that is done to it may change them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import docker

from infra.naming import Naming

ANOTHER = "0123456789"
"""A clone that there isn't."""

HOLD = ["sh", "-c", "date > /kept/marker; trap 'exit 0' TERM; sleep infinity & wait"]


@dataclass
class Strangers:
    """What isn't the environment's.

    Args:
        client: The engine.
        names: Of containers, volumes and networks alike: one of each bears each name.
    """

    client: docker.DockerClient
    names: list[str] = field(default_factory=list)

    def look(self) -> dict[str, Any]:
        """Return what the engine says of them, and what is in their volumes."""
        found: dict[str, Any] = {}
        for name in self.names:
            found |= {f"the container {name}": self._container(name)}
            found |= {f"the volume {name}": self._volume(name), f"the network {name}": self._network(name)}
        return found

    def _container(self, name: str) -> Any:  # noqa: ANN401 - as the engine has it
        [*found] = self.client.api.containers(all=True, filters={"name": f"^/{name}$"})
        if not found:
            return None
        document = self.client.api.inspect_container(name)
        state = document["State"]
        mounts = sorted((one["Destination"], one["Name"]) for one in document["Mounts"])
        return document["Id"], state["Status"], state["StartedAt"], document["Config"]["Labels"], mounts

    def _volume(self, name: str) -> Any:  # noqa: ANN401
        found = self.client.api.volumes(filters={"name": name})["Volumes"] or []
        return [(one["Name"], one["Labels"]) for one in found if one["Name"] == name]

    def _network(self, name: str) -> Any:  # noqa: ANN401
        found = self.client.api.networks(names=[name])
        return [
            (one["Id"], one["Labels"], sorted(self.client.api.inspect_network(one["Id"])["Containers"] or ()))
            for one in found
        ]


@contextmanager
def beside(client: docker.DockerClient, image: str, stack: str, prefix: str) -> Iterator[Strangers]:
    """Make things without labels, and things of another clone's environment of the same name, for a while."""
    labels = {f"{prefix}-plain": {}, f"{prefix}-another": Naming(stack, ANOTHER).labels("app")}
    made = Strangers(client, list(labels))
    with ExitStack() as undo:
        for name, labelled in labels.items():
            volume = client.volumes.create(name, labels=labelled)
            undo.callback(volume.remove, force=True)
            network = client.networks.create(name, labels=labelled)
            undo.callback(network.remove)
            container = client.containers.run(
                image,
                HOLD,
                entrypoint=[],
                name=name,
                labels=labelled,
                network=name,
                volumes={name: {"bind": "/kept", "mode": "rw"}},
                detach=True,
            )
            undo.callback(container.remove, force=True, v=True)
        yield made
