"""A Docker Swarm with state, behind the calls of the SDK that the commands make of its manager and its nodes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from cli.engine.swarm import SwarmView
from cli.engine.tasks import is_wanted
from infra.naming import Naming
from tests.unit.cli.engine_double import refused

if TYPE_CHECKING:
    import pytest
    from docker import DockerClient

Document = dict[str, Any]

TIME = "2026-11-28T01:00:00.{:06d}000Z"


@dataclass
class Node:
    """A node with its engine."""

    name: str
    state: str = "ready"
    availability: str = "active"
    volumes: dict[str, dict[str, str]] = field(default_factory=dict)
    ran: list[tuple[str, Sequence[str]]] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"id-{self.name}"


class Swarm:
    """A Swarm: the first node is its manager. Tasks are placed on the nodes in turn."""

    def __init__(self, *names: str) -> None:
        self.nodes = {name: Node(name) for name in names}
        self.services: dict[str, Document] = {}
        self.tasks: dict[str, Document] = {}
        self.secrets: dict[str, Document] = {}
        self.said: dict[str, bytes] = {}
        self.is_manager = True
        self._numbers = itertools.count(1)

    def view(self, monkeypatch: pytest.MonkeyPatch, *known: str, data_node: str = "node1") -> SwarmView:
        """Return what commands see where the addresses of some nodes are known."""
        monkeypatch.setattr("cli.engine.node.client_of", lambda environ: self.client(environ["DOCKER_HOST"][6:]))
        client, addresses = self.client(next(iter(self.nodes))), {one: f"tcp://{one}" for one in known}
        return SwarmView(client, addresses, {"staging": data_node}, {"staging": {"app": 3}})

    def client(self, node: str) -> DockerClient:
        return cast("DockerClient", Client(self, self.nodes[node]))

    def run(self, component: str, replicas: int = 1, image: str = "image:1", owner: str = "me") -> str:
        """Make a service of `staging` with its tasks; return its id."""
        naming, key = Naming("staging", owner), f"service-{component}-{owner}"
        spec = {"Image": image, "Mounts": []}
        self.services[key] = {
            "ID": key,
            "Spec": {
                "Name": naming.container(component),
                "Labels": naming.labels(component),
                "TaskTemplate": {"ContainerSpec": spec},
                "Mode": {"Replicated": {"Replicas": replicas}},
                "EndpointSpec": {},
            },
        }
        for slot in range(1, replicas + 1):
            self.task(key, slot)
        return key

    def keep(self, secret: str, component: str, owner: str = "me") -> str:
        """Make a secret of `staging`; return its id."""
        labels = Naming("staging", owner).labels(component)
        self.secrets[f"id-{secret}"] = {"ID": f"id-{secret}", "Spec": {"Name": secret, "Labels": labels}}
        return f"id-{secret}"

    def task(self, service: str, slot: int, state: str = "running", desired: str = "running", error: str = "") -> str:
        """Add a task of a service; return its id."""
        number = next(self._numbers)
        node = [*self.nodes.values()][(slot - 1) % len(self.nodes)]
        key = f"task-{number}"
        self.tasks[key] = {
            "ID": key,
            "ServiceID": service,
            "Slot": slot,
            "NodeID": node.id,
            "Spec": {"ContainerSpec": dict(self.services[service]["Spec"]["TaskTemplate"]["ContainerSpec"])},
            "DesiredState": desired,
            "Status": {
                "State": state,
                "Timestamp": TIME.format(number),
                "Err": error,
                "ContainerStatus": {"ContainerID": f"container-{number}", "ExitCode": 1 if state == "failed" else 0},
            },
        }
        return key

    def scale(self, service: str, replicas: int) -> None:
        """Have a service run so many replicas: what is too many ends, and what lacks begins."""
        self.services[service]["Spec"]["Mode"]["Replicated"]["Replicas"] = replicas
        running = {one["Slot"]: one for one in self.tasks.values() if one["ServiceID"] == service and is_wanted(one)}
        for slot in {*running} - {*range(1, replicas + 1)}:
            running[slot] |= {"DesiredState": "shutdown", "Status": running[slot]["Status"] | {"State": "complete"}}
        for slot in {*range(1, replicas + 1)} - {*running}:
            self.task(service, slot)

    def now(self) -> str:
        """Return a moment after all that has happened."""
        return TIME.format(next(self._numbers))


class Client:
    """A client of the engine of a node."""

    def __init__(self, swarm: Swarm, node: Node) -> None:
        self.api = Api(swarm, node)
        self.volumes = SimpleNamespace(create=self._make_volume)
        self.services = SimpleNamespace(get=lambda service: SimpleNamespace(scale=partial(swarm.scale, service)))
        self._node = node
        self.ping = lambda: True
        self.info = self.api.info

    def _make_volume(self, name: str, labels: dict[str, str]) -> None:
        self._node.volumes.setdefault(name, labels)


class Api:
    """The SDK's own calls."""

    base_url = "http+docker://localhost"
    api_version = "1.41"
    timeout = 60

    def __init__(self, swarm: Swarm, node: Node) -> None:
        self._swarm, self._node = swarm, node

    def info(self) -> Document:
        return {"Name": self._node.name, "Swarm": {"NodeID": self._node.id}, "SystemTime": self._swarm.now()}

    def _manage(self) -> None:
        if not self._swarm.is_manager or self._node is not next(iter(self._swarm.nodes.values())):
            raise refused(HTTPStatus.SERVICE_UNAVAILABLE, "This node is not a swarm manager.")

    def nodes(self) -> list[Document]:
        self._manage()
        return [
            {
                "ID": one.id,
                "Description": {"Hostname": one.name},
                "Status": {"State": one.state},
                "Spec": {"Availability": one.availability},
            }
            for one in self._swarm.nodes.values()
        ]

    def services(self, filters: Mapping[str, list[str]]) -> list[Document]:
        self._manage()
        wanted = {tuple(one.split("=")) for one in filters.get("label", [])}
        return [one for one in self._swarm.services.values() if wanted <= one["Spec"]["Labels"].items()]

    def inspect_service(self, service: str) -> Document:
        self._manage()
        return self._swarm.services[service]

    def remove_service(self, service: str) -> None:
        self._manage()
        if self._swarm.services.pop(service, None) is None:
            raise refused(HTTPStatus.NOT_FOUND, f"service {service} not found")

    def secrets(self, filters: Mapping[str, list[str]]) -> list[Document]:
        self._manage()
        wanted = {tuple(one.split("=")) for one in filters.get("label", [])}
        return [one for one in self._swarm.secrets.values() if wanted <= one["Spec"]["Labels"].items()]

    def remove_secret(self, secret: str) -> None:
        self._manage()
        used = [one["Spec"]["TaskTemplate"]["ContainerSpec"] for one in self._swarm.services.values()]
        if any(secret == one["SecretID"] for spec in used for one in spec.get("Secrets", [])):
            raise refused(HTTPStatus.BAD_REQUEST, f"secret {secret} is in use by the following service")
        if self._swarm.secrets.pop(secret, None) is None:
            raise refused(HTTPStatus.NOT_FOUND, f"secret {secret} not found")

    def tasks(self, filters: Mapping[str, list[str]] | None = None) -> list[Document]:
        self._manage()
        for service in (filters or {}).get("service", []):
            if service not in self._swarm.services:
                raise refused(HTTPStatus.NOT_FOUND, f"service {service} not found")
        found = [one for one in self._swarm.tasks.values() if not filters or one["ServiceID"] in filters["service"]]
        for one in found:  # what a removed service leaves ends by and by
            if one["ServiceID"] not in self._swarm.services:
                del self._swarm.tasks[one["ID"]]
        return found

    def inspect_task(self, task: str) -> Document:
        self._manage()
        if task not in self._swarm.tasks:
            raise refused(HTTPStatus.NOT_FOUND, f"task {task} not found")
        return self._swarm.tasks[task]

    def get(self, address: str, *, params: Mapping[str, Any], stream: bool, timeout: float | None) -> list[bytes]:
        assert stream
        assert timeout or params["follow"]
        task = address.split("/tasks/")[1].removesuffix("/logs")
        lines = self._swarm.said.get(task, b"").splitlines(keepends=True)
        return lines if params["tail"] == "all" else lines[-params["tail"] :]

    def _raise_for_status(self, _answer: object) -> None: ...

    def _multiplexed_response_stream_helper(self, answer: list[bytes]) -> list[bytes]:
        return answer

    def containers(self, *, all: bool) -> list[Document]:  # noqa: A002
        assert all
        return [{"Id": "own", "Names": ["/own"], "Labels": {}, "Ports": []}] + [
            {"Id": one["Status"]["ContainerStatus"]["ContainerID"], "Names": ["/task"], "Ports": [], "Labels": labels}
            for one in self._swarm.tasks.values()
            if one["NodeID"] == self._node.id
            for labels in [
                {"com.docker.swarm.task.id": one["ID"], **self._swarm.services[one["ServiceID"]]["Spec"]["Labels"]}
            ]
        ]

    def inspect_container(self, container: str) -> Document:
        raise refused(HTTPStatus.NOT_FOUND, f"No such container: {container}")

    def exec_create(self, container: str, command: Sequence[str]) -> Document:
        self._node.ran.append((container, command))
        return {"Id": container}

    def exec_start(self, execution: str) -> bytes:
        return f"said by {execution}".encode()

    def exec_inspect(self, _execution: str) -> Document:
        return {"ExitCode": 0}

    def networks(self) -> list[Document]:
        return []

    def volumes(self) -> Document:
        found = [{"Name": name, "Labels": labels, "Driver": "local"} for name, labels in self._node.volumes.items()]
        return {"Volumes": found}

    def inspect_volume(self, volume: str) -> Document:
        if volume not in self._node.volumes:
            raise refused(HTTPStatus.NOT_FOUND, f"no such volume: {volume}")
        return {"Name": volume, "Labels": self._node.volumes[volume]}

    def remove_volume(self, volume: str) -> None:
        if self._node.volumes.pop(volume, None) is None:
            raise refused(HTTPStatus.NOT_FOUND, f"no such volume: {volume}")
