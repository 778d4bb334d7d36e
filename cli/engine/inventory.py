"""The Docker engine seen by labels: what it has of this project and of others, and changes of single objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

import docker

from cli.core import signals
from cli.core.wait import until
from cli.engine import locality, streams
from cli.engine.container import ContainerView, Source, view
from cli.engine.node import Node
from cli.engine.tasks import Document, ServiceView
from infra.naming import COMPONENT_LABEL, OWNER_LABEL, PROJECT, PROJECT_LABEL, STACK_LABEL

STOP_SECONDS = 30
REMOVAL_SECONDS = 60
REMOVAL_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class EngineObject:
    """A container, network or volume of any owner, with the name and the host ports that it occupies."""

    kind: str
    name: str
    owner: str
    host_ports: frozenset[int] = frozenset()


class EngineView:
    """The engine as it is at each call."""

    def __init__(self, client: docker.DockerClient) -> None:
        self.client = client

    def publishes_here(self) -> bool:
        """Return whether published ports are this computer's."""
        return locality.publishes_here(self.client.info(), self.client.api.base_url)

    # What there is.

    def container_summaries(self) -> list[Document]:
        """List every container on the engine, ours and others', running or not."""
        found: list[Document] = self.client.api.containers(all=True)
        return found

    def network_documents(self) -> list[Document]:
        """List every network on the engine, ours and others'."""
        found: list[Document] = self.client.api.networks()
        return found

    def volume_documents(self) -> list[Document]:
        """List every volume on the engine, ours and others'."""
        found: list[Document] = self.client.api.volumes()["Volumes"] or []
        return found

    def container_document(self, container: str) -> Document | None:
        """Return what `docker inspect` shows of a container, by its id or name; None where there is none."""
        with suppress(docker.errors.NotFound):
            document: Document = self.client.api.inspect_container(container)
            return document
        return None

    def image_document(self, image: str) -> Document | None:
        """Return what `docker inspect` shows of an image, by its id or reference; None where there is none."""
        with suppress(docker.errors.NotFound):
            document: Document = self.client.images.get(image).attrs
            return document
        return None

    def containers(self, stack: str | None = None, owner: str | None = None) -> list[ContainerView]:
        """Return the project's containers, running or not, by name."""
        return sorted((view(document) for document in self.documents(stack, owner)), key=lambda one: one.name)

    def summaries(self, stack: str | None = None, owner: str | None = None) -> list[Document]:
        """List the project's containers, running or not."""
        return [one for one in self.container_summaries() if is_of(one, stack, owner)]

    def documents(self, stack: str | None = None, owner: str | None = None) -> list[Document]:
        """Return what `docker inspect` shows of the project's containers, running or not."""
        ids = [one["Id"] for one in self.summaries(stack, owner)]
        return [document for document in map(self.container_document, ids) if document is not None]

    def container(self, container: str) -> ContainerView:
        """Return one of the project's containers by its id."""
        return view(self.client.api.inspect_container(container))

    def networks(self, stack: str | None, owner: str) -> dict[str, str]:
        """Return the names of a clone's networks by id, of one environment or of all: a name may be there twice."""
        return {one["Id"]: one["Name"] for one in self.network_documents() if is_of(one, stack, owner)}

    def volumes(self, owner: str) -> set[str]:
        """Return the names of all of a clone's volumes."""
        return {one["Name"] for one in self.volume_documents() if is_of(one, None, owner)}

    def ids(self) -> set[str]:
        """Return the ids of all containers and networks and the names of all volumes on the engine."""
        found = [*self.container_summaries(), *self.network_documents()]
        return {one["Id"] for one in found} | {one["Name"] for one in self.volume_documents()}

    def all_containers(self) -> list[EngineObject]:
        """Return every container on the engine, ours and others'; one without a name is being removed."""
        return [
            EngineObject(
                "container",
                one["Names"][0].lstrip("/"),
                owner_of(one),
                frozenset(port["PublicPort"] for port in one["Ports"] if "PublicPort" in port),
            )
            for one in self.container_summaries()
            if one["Names"]
        ]

    def objects(self) -> list[EngineObject]:
        """Return every container, network and volume on the engine, ours and others'."""
        networks = [EngineObject("network", one["Name"], owner_of(one)) for one in self.network_documents()]
        volumes = [EngineObject("volume", one["Name"], owner_of(one)) for one in self.volume_documents()]
        return [*self.all_containers(), *networks, *volumes]

    def volume_sizes(self) -> dict[str, int]:
        """Return the bytes in each volume; the engine counts them file by file, which can take long."""
        volumes = self.client.df().get("Volumes") or []  # omitted from API 1.53 on
        return {one["Name"]: one["UsageData"]["Size"] for one in volumes if one.get("UsageData")}

    # What only a Swarm has: see `cli.engine.swarm`.

    def services(self, stack: str | None, owner: str | None) -> list[ServiceView]:  # noqa: ARG002
        """Return the project's services."""
        return []

    def service_documents(self, stack: str | None, owner: str | None) -> list[Document]:  # noqa: ARG002
        """Return what `docker service inspect` shows of the project's services."""
        return []

    def failures(self, stack: str, owner: str, since: str) -> list[ContainerView]:  # noqa: ARG002
        """Return a Swarm's tasks that failed after a moment of the engine's clock, the last one first."""
        return []

    def now(self) -> str:
        """Return the time by the engine's clock, as the engine writes when something began: in UTC.

        `docker info` has it in the time zone of the engine's computer.
        """
        there = datetime.fromisoformat(self.client.info()["SystemTime"])
        return f"{there.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"

    def remove_service(self, service: str) -> None:
        """Remove a service, unless it is removed already."""

    def secrets(self, stack: str, owner: str) -> dict[str, str]:  # noqa: ARG002
        """Return the ids of an environment's secrets by name."""
        return {}

    def remove_secret(self, secret: str) -> None:
        """Remove a secret, unless it is removed already or a service has it."""

    def reaches(self, container: ContainerView) -> bool:  # noqa: ARG002
        """Return whether the engine is known that a container is on."""
        return True

    def node_of(self, container: str) -> tuple[Node, str]:
        """Return the node that a container is on, and its id there."""
        return Node(client=self.client), container

    # What containers write and do.

    def last_lines(self, container: str, count: int) -> list[str]:
        """Return the last lines that a container wrote."""
        try:
            text: bytes = self.client.api.logs(container, tail=count)
        except docker.errors.NotFound:
            return []
        return text.decode(errors="replace").splitlines()

    def read_file(self, container: str, path: str) -> bytes:
        """Return a small file of a container, running or not, whatever its mode."""
        return streams.read_file(self.client, container, path)

    def log(
        self, container: str, *, since: float | None = None, tail: int | None = None, follow: bool = False
    ) -> Iterator[bytes]:
        """Read a container's log with timestamps, from a time in seconds since 1970."""
        yield from self.client.api.logs(
            container,
            stream=True,
            follow=follow,
            timestamps=True,
            since=since if since and since > 0 else None,
            tail="all" if tail is None else tail,
        )

    def starts(self, stack: str, owner: str, since: float) -> Iterator[Source]:
        """Watch containers of an environment start, from a time in seconds since 1970."""
        labels = {PROJECT_LABEL: PROJECT, STACK_LABEL: stack, OWNER_LABEL: owner}
        filters = {
            "label": [f"{key}={value}" for key, value in labels.items()],
            "type": ["container"],
            "event": ["start"],
        }
        events = self.client.api.events(filters=filters, since=int(since), decode=True)
        facts = ((event["Actor"]["ID"], event["Actor"]["Attributes"]) for event in events)
        return (Source(key, labels.get(COMPONENT_LABEL, ""), labels["name"]) for key, labels in facts)

    def execute(self, container: str, command: Sequence[str]) -> tuple[int, str]:
        """Run a command in a container, wherever it is, to its end; return its exit status and what it wrote."""
        node, found = self.node_of(container)
        api = node.client.api
        started = api.exec_create(found, list(command))
        written: bytes = api.exec_start(started["Id"])
        return int(api.exec_inspect(started["Id"])["ExitCode"]), written.decode(errors="replace")

    # Changes.

    def start(self, container: str) -> None:
        """Start a container that is stopped; one that runs is left alone."""
        self.client.api.start(container)

    def stop(self, container: str) -> None:
        """Stop a container, which may be paused, with time to end by itself."""
        try:
            self.client.api.stop(container, timeout=STOP_SECONDS)
        except docker.errors.APIError:
            # A paused container takes no signal.
            with suppress(docker.errors.APIError):
                self.client.api.unpause(container)
            self.client.api.stop(container, timeout=STOP_SECONDS)

    @contextmanager
    def stopped(self, container: ContainerView) -> Iterator[None]:
        """Have a service stopped meanwhile, with all of its replicas."""
        try:
            # An interrupted stop goes on in the engine, which would ignore the start.
            with signals.postponed():
                self.client.api.stop(container.id)
            yield
        finally:
            with signals.postponed():
                self.client.api.start(container.id)

    def resume(self, stack: str, owner: str, service: str) -> None:
        """Start a service that was stopped, and not started again."""
        for one in self.containers(stack, owner):
            if one.component == service and one.state in {"created", "exited"}:
                with suppress(docker.errors.APIError):
                    self.start(one.id)

    def ask_to_stop(self, container: str) -> None:
        """Send a container its signal to stop, if it runs, and don't wait until it has stopped."""
        document = self.container_document(container)
        if document and document["State"]["Status"] == "running":
            with suppress(docker.errors.APIError):  # it stopped meanwhile
                self.client.api.kill(container, document["Config"].get("StopSignal") or "SIGTERM")

    def remove_container(self, container: str) -> None:
        """Remove a container with its anonymous volumes, unless it is removed already; named volumes stay."""
        try:
            self.client.api.remove_container(container, v=True, force=True)
        except docker.errors.NotFound:
            return
        except docker.errors.APIError as error:
            # A removal is under way. To have the engine wait for it may never return (Docker 20.10).
            if error.status_code != HTTPStatus.CONFLICT or not until(
                lambda: self.container_document(container) is None, REMOVAL_SECONDS, REMOVAL_POLL_SECONDS
            ):
                raise

    def remove_network(self, network: str) -> None:
        """Remove a network, after disconnecting the containers on it."""
        with suppress(docker.errors.NotFound):
            for container in self.client.api.inspect_network(network)["Containers"] or {}:
                # A container that is removed meanwhile must not keep the network.
                with suppress(docker.errors.NotFound):
                    self.client.api.disconnect_container_from_network(container, network, force=True)
            self.client.api.remove_network(network)

    def make_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Make an empty volume."""
        self.client.volumes.create(name, labels=dict(labels))

    def remove_volume(self, volume: str, owner: str) -> None:
        """Remove a clone's volume with all that is in it, unless it is removed already; leave what has its name."""
        with suppress(docker.errors.NotFound):
            if owner_of(self.client.api.inspect_volume(volume)) == owner:
                self.client.api.remove_volume(volume)


def owner_of(document: Document) -> str:
    """Return the clone that an object's labels name; empty where they name none."""
    return str((document.get("Labels") or {}).get(OWNER_LABEL, ""))


def is_of(document: Document, stack: str | None, owner: str | None) -> bool:
    """Return whether an object is this project's, and of an environment and a clone where these are given."""
    labels = document.get("Labels") or {}
    wanted = {PROJECT_LABEL: PROJECT, STACK_LABEL: stack, OWNER_LABEL: owner}
    return all(labels.get(key) == value for key, value in wanted.items() if value is not None)
