"""What the Docker engine holds of this clone: containers, networks and volumes, found by their labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import docker

from cli.core.wait import until
from cli.engine.container import ContainerView, view
from infra.naming import COMPONENT_LABEL, OWNER_LABEL, PROJECT, PROJECT_LABEL, STACK_LABEL

REMOVAL_SECONDS = 60
REMOVAL_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Holding:
    """A name that something on the engine holds."""

    kind: str
    name: str
    owner: str
    host_ports: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Started:
    """A container that has started."""

    id: str
    name: str
    component: str


class EngineView:
    """The engine, seen by labels."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client

    def containers(self, stack: str | None = None, owner: str | None = None) -> list[ContainerView]:
        """Return the project's containers, running or not, by name."""
        return sorted((view(document) for document in self.documents(stack, owner)), key=lambda one: one.name)

    def documents(self, stack: str | None = None, owner: str | None = None) -> list[dict[str, Any]]:
        """Return all that the engine knows of the project's containers, running or not."""
        found = self._client.api.containers(all=True, filters=_filter(stack, owner))
        documents = (self.container_document(summary["Id"]) for summary in found)
        return [document for document in documents if document is not None]

    def container_document(self, container: str) -> dict[str, Any] | None:
        """Return all that the engine knows of a container, by its id or name; None where there is none."""
        with suppress(docker.errors.NotFound):
            document: dict[str, Any] = self._client.api.inspect_container(container)
            return document
        return None

    def image_document(self, image: str) -> dict[str, Any] | None:
        """Return all that the engine knows of an image, by its id or reference; None where there is none."""
        with suppress(docker.errors.NotFound):
            document: dict[str, Any] = self._client.images.get(image).attrs
            return document
        return None

    def network_documents(self) -> list[dict[str, Any]]:
        """Return all that the engine knows of every network on it, ours and others'."""
        documents: list[dict[str, Any]] = self._client.api.networks()
        return documents

    def volume_documents(self) -> list[dict[str, Any]]:
        """Return all that the engine knows of every volume on it, ours and others'."""
        documents: list[dict[str, Any]] = self._client.api.volumes()["Volumes"] or []
        return documents

    def volume_sizes(self) -> dict[str, int]:
        """Return the bytes that each volume holds; the engine counts them file by file, which can take long."""
        volumes = self._client.df()["Volumes"] or []
        return {one["Name"]: one["UsageData"]["Size"] for one in volumes if one.get("UsageData")}

    def container(self, container: str) -> ContainerView:
        """Return one of the project's containers by its id."""
        return view(self._client.api.inspect_container(container))

    def networks(self, stack: str | None, owner: str) -> dict[str, str]:
        """Return the ids of a clone's networks by name, of one environment or of all."""
        found = self._client.api.networks(filters=_filter(stack, owner))
        return {network["Name"]: network["Id"] for network in found}

    def volumes(self, owner: str) -> set[str]:
        """Return the names of all of a clone's volumes."""
        return {volume["Name"] for volume in self._client.api.volumes(filters=_filter(None, owner))["Volumes"] or []}

    def ids(self) -> set[str]:
        """Return the ids of all containers, networks and volumes on the engine, ours and others'."""
        found = [*self._client.api.containers(all=True), *self._client.api.networks()]
        return {one["Id"] for one in found} | {one["Name"] for one in self._client.api.volumes()["Volumes"] or []}

    def all_containers(self) -> list[Holding]:
        """Return every container on the engine, ours and others'."""
        return [
            Holding(
                "container",
                one["Names"][0].lstrip("/"),
                _owner(one),
                frozenset(port["PublicPort"] for port in one["Ports"] if "PublicPort" in port),
            )
            for one in self._client.api.containers(all=True)
            if one["Names"]
        ]

    def holdings(self) -> list[Holding]:
        """Return every name that a container, network or volume on the engine holds."""
        networks = [Holding("network", one["Name"], _owner(one)) for one in self._client.api.networks()]
        volumes = [Holding("volume", one["Name"], _owner(one)) for one in self._client.api.volumes()["Volumes"] or []]
        return [*self.all_containers(), *networks, *volumes]

    def last_lines(self, container: str, count: int) -> list[str]:
        """Return the last lines that a container wrote."""
        try:
            text: bytes = self._client.api.logs(container, tail=count)
        except docker.errors.NotFound:
            return []
        return text.decode(errors="replace").splitlines()

    def log(
        self, container: str, *, since: float | None = None, tail: int | None = None, follow: bool = False
    ) -> Iterator[bytes]:
        """Read a container's log."""
        yield from self._client.api.logs(
            container,
            stream=True,
            follow=follow,
            timestamps=True,
            since=since if since and since > 0 else None,
            tail="all" if tail is None else tail,
        )

    def starts(self, stack: str, owner: str, since: float) -> Iterator[Started]:
        """Watch containers of an environment start, from the call on."""
        filters = {**_filter(stack, owner), "type": ["container"], "event": ["start"]}
        events = self._client.api.events(filters=filters, since=int(since), decode=True)
        facts = ((event["id"], event["Actor"]["Attributes"]) for event in events)
        return (Started(key, labels["name"], labels.get(COMPONENT_LABEL, "")) for key, labels in facts)

    def execute(self, container: str, command: Sequence[str]) -> tuple[int, str]:
        """Run a command in a container, to its end."""
        started = self._client.api.exec_create(container, list(command))
        said: bytes = self._client.api.exec_start(started["Id"])
        return int(self._client.api.exec_inspect(started["Id"])["ExitCode"]), said.decode(errors="replace")

    def stop(self, container: str, grace: int) -> None:
        """Stop a container, which may be paused."""
        try:
            self._client.api.stop(container, timeout=grace)
        except docker.errors.APIError:
            # One that is paused takes no signal.
            with suppress(docker.errors.APIError):
                self._client.api.unpause(container)
            self._client.api.stop(container, timeout=grace)

    def start(self, container: str) -> None:
        """Start a container that is stopped; one that runs is left alone."""
        self._client.api.start(container)

    def remove_container(self, container: str) -> None:
        """Remove a container with its anonymous volumes; named ones stay. One that is going already is let go."""
        try:
            self._client.api.remove_container(container, v=True, force=True)
        except docker.errors.NotFound:
            return
        except docker.errors.APIError as error:
            # Who asks the engine to wait for the removal just as it ends may never get an answer (Docker 20.10).
            if error.status_code != HTTPStatus.CONFLICT or not self._goes(container):
                raise

    def _goes(self, container: str) -> bool:
        return until(lambda: self._is_gone(container), REMOVAL_SECONDS, REMOVAL_POLL_SECONDS)

    def _is_gone(self, container: str) -> bool:
        try:
            self._client.api.inspect_container(container)
        except docker.errors.NotFound:
            return True
        return False

    def make_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Make an empty volume."""
        self._client.volumes.create(name, labels=dict(labels))

    def remove_network(self, network: str) -> None:
        """Remove a network, with what is still connected to it."""
        with suppress(docker.errors.NotFound):
            for container in self._client.api.inspect_network(network)["Containers"] or {}:
                # A container that is removed meanwhile must not keep the network.
                with suppress(docker.errors.NotFound):
                    self._client.api.disconnect_container_from_network(container, network, force=True)
            self._client.api.remove_network(network)

    def remove_volume(self, volume: str) -> None:
        """Remove a volume with all that is in it; one that is gone already is let go."""
        with suppress(docker.errors.NotFound):
            self._client.api.remove_volume(volume)


def _owner(summary: dict[str, Any]) -> str:
    return str((summary.get("Labels") or {}).get(OWNER_LABEL, ""))


def _filter(stack: str | None, owner: str | None) -> dict[str, list[str]]:
    labels = {PROJECT_LABEL: PROJECT, STACK_LABEL: stack, OWNER_LABEL: owner}
    return {"label": [f"{key}={value}" for key, value in labels.items() if value is not None]}
