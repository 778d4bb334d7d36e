"""A Docker Swarm seen through its manager: tasks among the containers, and the nodes' engines where they are known."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from itertools import takewhile
from typing import Any

import docker
from docker import DockerClient
from docker.errors import APIError, DockerException, NotFound
from requests import RequestException

from cli.core import signals
from cli.core.errors import UserError
from cli.core.wait import until
from cli.engine import streams, tasks
from cli.engine.container import ContainerView, Source, view
from cli.engine.inventory import REMOVAL_SECONDS, EngineObject, EngineView, is_of, owner_of
from cli.engine.node import Node
from cli.engine.tasks import Document, ServiceView
from infra.naming import PROJECT, PROJECT_LABEL, STACK_LABEL

POLL_SECONDS = 1.0
_PROJECTS = {"label": [f"{PROJECT_LABEL}={PROJECT}"]}


class SwarmView(EngineView):
    """The Swarm that an engine manages, beside that engine's own containers."""

    def __init__(
        self,
        client: DockerClient,
        nodes: Mapping[str, str],
        data_nodes: Mapping[str, str],
        replicas: Mapping[str, Mapping[str, int]],
    ) -> None:
        """See it.

        Args:
            nodes: Addresses of engines, by the node's hostname.
            data_nodes: The hostname of the node that keeps the volumes, by environment.
            replicas: How many a service has where it has more than one, by environment and service.
        """
        super().__init__(client)
        self._addresses, self._data_nodes, self._replicas = nodes, data_nodes, replicas
        self._own = ""
        self._names: dict[str, str] = {}
        self._nodes: dict[str, Node] = {}

    @property
    def _api(self) -> Any:  # noqa: ANN401 - the stubs don't know the calls for a Swarm
        return self.client.api

    # The nodes.

    def node(self, name: str) -> Node:
        """Return a node by its hostname."""
        if name not in self._nodes:
            own = name == self._own_name()
            self._nodes[name] = Node(name, self._addresses.get(name, ""), self.client if own else None)
        return self._nodes[name]

    def node_documents(self) -> list[Document]:
        """List the Swarm's nodes; none where this engine is no manager of one."""
        with suppress(APIError):
            found: list[Document] = self._api.nodes()
            return found
        return []

    def _own_name(self) -> str:
        self._own = self._own or str(self.client.info().get("Name", ""))
        return self._own

    def _name_of(self, node: str) -> str:
        if node and node not in self._names:
            self._names = {one["ID"]: one["Description"]["Hostname"] for one in self.node_documents()}
        return self._names.get(node, "")

    def _data_clients(self) -> Iterator[DockerClient]:
        yield self.client
        for name in {*self._data_nodes.values()} - {self._own_name()}:
            yield self.node(name).client

    # What there is.

    def container_summaries(self) -> list[Document]:
        """List the engine's own containers: those of tasks are shown as the Swarm's."""
        return [one for one in super().container_summaries() if tasks.TASK_LABEL not in (one.get("Labels") or {})]

    def documents(self, stack: str | None = None, owner: str | None = None) -> list[Document]:
        """Return the project's containers and tasks as `docker inspect` shows containers."""
        return [*super().documents(stack, owner), *self._tasks(stack, owner)]

    def volume_documents(self) -> list[Document]:
        """List every volume on the manager and on the nodes that keep data."""
        found: dict[str, Document] = {}
        for client in self._data_clients():
            found |= {one["Name"]: one for one in client.api.volumes()["Volumes"] or ()}
        return [*found.values()]

    def all_containers(self) -> list[EngineObject]:
        """Return every container on the engine and every service of the Swarm, ours and others'."""
        services = [
            EngineObject("service", spec["Name"], owner_of(spec), frozenset(port for _, port in tasks.ports(one)))
            for one in self._service_documents({})
            for spec in [one["Spec"]]
        ]
        return [*super().all_containers(), *services]

    def services(self, stack: str | None, owner: str | None) -> list[ServiceView]:
        """Return the project's services, by name."""
        found = self.service_documents(stack, owner)
        every = self._tasks_of(found)
        return sorted((tasks.look(one, every[one["ID"]]) for one in found), key=lambda one: one.name)

    def service_documents(self, stack: str | None, owner: str | None) -> list[Document]:
        """Return what `docker service inspect` shows of the project's services."""
        return [one for one in self._service_documents(_PROJECTS) if is_of(one["Spec"], stack, owner)]

    def failures(self, stack: str, owner: str, since: str) -> list[ContainerView]:
        """Return a Swarm's tasks that failed after a moment of the engine's clock, the last one first."""
        services = {one["ID"]: one for one in self.service_documents(stack, owner)}
        every = [one for found in self._tasks_of([*services.values()]).values() for one in found]
        failed = [one for one in every if one["Status"]["State"] in tasks.FAILED and one["Status"]["Timestamp"] > since]
        failed.sort(key=lambda one: str(one["Status"]["Timestamp"]), reverse=True)
        return [
            view(self._with_checks(tasks.container(services[one["ServiceID"]], one, self._name_of(one["NodeID"]))))
            for one in failed
            if one["ServiceID"] in services
        ]

    # What tasks write and do.

    def last_lines(self, container: str, count: int) -> list[str]:
        """Return the last lines that a container or a task wrote."""
        if not self._task(container):
            return super().last_lines(container, count)
        with suppress(DockerException, RequestException):
            return b"".join(self._task_log(container, tail=count)).decode(errors="replace").splitlines()
        return []

    def read_file(self, container: str, path: str) -> bytes:
        """Return a small file of a container or of a task that runs."""
        if not self._task(container):
            return super().read_file(container, path)
        # Secrets of a Swarm are in memory, where the engine's archive has an empty file.
        node, found = self.node_of(container)
        return streams.run(node.client, found, ["cat", path]).encode()

    def log(
        self, container: str, *, since: float | None = None, tail: int | None = None, follow: bool = False
    ) -> Iterator[bytes]:
        """Read the log of a container or a task with timestamps, from a time in seconds since 1970."""
        task = self._task(container)
        if task is None:
            yield from super().log(container, since=since, tail=tail, follow=follow)
        elif task["Task"]["Container"]:  # else it has written nothing yet
            frames = self._task_log(container, timestamps=True, follow=follow, since=since, tail=tail)
            # What has no time was written by no task: it says that its node is down (moby/moby#37336).
            yield from takewhile(lambda frame: frame[:1].isdigit(), frames)

    def _task_log(
        self,
        task: str,
        *,
        timestamps: bool = False,
        follow: bool = False,
        since: float | None = None,
        tail: int | None = None,
    ) -> Iterator[bytes]:
        # The SDK has logs of services, which don't say of which task a line is.
        api = self._api
        wanted = {"stdout": True, "stderr": True, "timestamps": timestamps, "follow": follow}
        moment = {"since": int(since)} if since and since > 0 else {}
        answer = api.get(
            f"{api.base_url}/v{api.api_version}/tasks/{task}/logs",
            params={**wanted, **moment, "tail": "all" if tail is None else tail},
            stream=True,
            timeout=None if follow else api.timeout,
        )
        api._raise_for_status(answer)  # noqa: SLF001 - the SDK has no call for it
        yield from api._multiplexed_response_stream_helper(answer)  # noqa: SLF001

    def starts(self, stack: str, owner: str, since: float) -> Iterator[Source]:
        """Watch tasks of an environment start; the Swarm has no events for that."""
        del since
        known = {one["Id"] for one in self._tasks(stack, owner) if one["State"]["Status"] in tasks.STARTED}
        while True:
            time.sleep(POLL_SECONDS)
            for one in self._tasks(stack, owner):
                if one["State"]["Status"] in tasks.STARTED and one["Id"] not in known:
                    known.add(one["Id"])
                    yield view(one).source

    def reaches(self, container: ContainerView) -> bool:
        """Return whether the engine is known that a container is on."""
        return container.node in {"", self._own_name(), *self._addresses}

    def node_of(self, container: str) -> tuple[Node, str]:
        """Return the node that a container or task is on, and its id there."""
        task = self._task(container)
        if task is None:
            return super().node_of(container)
        return self.node(task["Task"]["Node"]), task["Task"]["Container"]

    # Changes.

    @contextmanager
    def stopped(self, container: ContainerView) -> Iterator[None]:
        """Have a service stopped meanwhile, with all of its replicas."""
        service = self._api.inspect_task(container.id)["ServiceID"]
        replicas = self._api.inspect_service(service)["Spec"]["Mode"]["Replicated"]["Replicas"]
        try:
            with signals.postponed():
                self._scale(service, 0)
            until(lambda: not self._has_container(service), REMOVAL_SECONDS, POLL_SECONDS)
            yield
        finally:
            with signals.postponed():
                self._scale(service, replicas)

    def resume(self, stack: str, owner: str, service: str) -> None:
        """Start a service that was stopped, and not started again."""
        for one in self.services(stack, owner):
            if one.component == service and not one.wanted:
                self._scale(one.id, self._replicas.get(stack, {}).get(service, 1))

    def _scale(self, service: str, replicas: int) -> None:
        self.client.services.get(service).scale(replicas)  # type: ignore[no-untyped-call]

    def _has_container(self, service: str) -> bool:
        return any(one["Status"]["State"] in tasks.STARTED for one in self._task_documents([service]))

    def remove_service(self, service: str) -> None:
        """Remove a service, unless it is removed already; wait a while for the end of its tasks."""
        with suppress(NotFound):
            self._api.remove_service(service)
        until(lambda: not self._task_documents([service]), REMOVAL_SECONDS, POLL_SECONDS)

    def secrets(self, stack: str, owner: str) -> dict[str, str]:
        """Return the ids of an environment's secrets by name."""
        found = self._api.secrets(filters=_PROJECTS)
        return {one["Spec"]["Name"]: one["ID"] for one in found if is_of(one["Spec"], stack, owner)}

    def remove_secret(self, secret: str) -> None:
        """Remove a secret, unless it is removed already or a service has it."""
        try:
            self._api.remove_secret(secret)
        except APIError as error:
            if error.status_code not in {HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST}:
                raise

    def make_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Make an empty volume where the environment's data is."""
        node = self._data_nodes.get(labels.get(STACK_LABEL, ""))
        client = self.node(node).client if node else self.client
        client.volumes.create(name, labels=dict(labels))

    def remove_volume(self, volume: str, owner: str) -> None:
        """Remove a clone's volume, on whichever node it is; leave what has its name on another one."""
        for client in self._data_clients():
            EngineView(client).remove_volume(volume, owner)

    # Tasks.

    def _service_documents(self, filters: Mapping[str, Any]) -> list[Document]:
        with suppress(APIError):  # it is no manager
            found: list[Document] = self._api.services(filters=dict(filters))
            return found
        return []

    def _tasks_of(self, services: Sequence[Document]) -> dict[str, list[Document]]:
        found: dict[str, list[Document]] = {one["ID"]: [] for one in services}
        if found:
            for one in self._task_documents([*found]):
                found.setdefault(one["ServiceID"], []).append(one)
        return found

    def _task_documents(self, services: Sequence[str]) -> list[Document]:
        try:
            found: list[Document] = self._api.tasks(filters={"service": [*services]})
        except NotFound:  # one was removed meanwhile: its last tasks are found among all
            found = [one for one in self._api.tasks() if one["ServiceID"] in services]
        return found

    def _tasks(self, stack: str | None, owner: str | None) -> list[Document]:
        services = self.service_documents(stack, owner)
        every = self._tasks_of(services)
        found = [
            tasks.container(service, task, self._name_of(task.get("NodeID", "")))
            for service in services
            for task in every[service["ID"]]
            if tasks.is_wanted(task)
        ]
        return sorted(found, key=lambda one: str(one["Name"]))

    def _task(self, task: str) -> Document | None:
        with suppress(APIError, docker.errors.NullResource):
            found = self._api.inspect_task(task)
            service = self._api.inspect_service(found["ServiceID"])
            return tasks.container(service, found, self._name_of(found.get("NodeID", "")))
        return None

    def _with_checks(self, document: Document) -> Document:
        """Add the health checks of a task's container, where its node can be asked and still has it."""
        with suppress(UserError, DockerException, RequestException):
            where = document["Task"]
            inspected = self.node(where["Node"]).client.api.inspect_container(where["Container"])
            document["State"]["Health"] = inspected["State"].get("Health") or {}
            document["State"]["OOMKilled"] = inspected["State"].get("OOMKilled")
        return document
