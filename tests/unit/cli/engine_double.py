"""A Docker engine with state, behind the calls of the SDK that the commands make; volumes are folders."""

# ruff: noqa: ANN401 - in place of the SDK's objects

from __future__ import annotations

import copy
import io
import itertools
import json
import os
import re
import signal
import socket
import struct
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from docker import DockerClient
from docker.errors import APIError, NotFound
from requests import Response

from cli.engine import connect as connecting
from cli.engine.inventory import EngineView
from infra.naming import Naming
from tests.unit.cli.inspected import DOCUMENT

LEAVING = "Leaving"
"""The key of a document with the number of times it can still be inspected before its removal ends."""

Document = dict[str, Any]


def refused(status: HTTPStatus, message: str) -> APIError:
    """Return an answer of the engine that is an error."""
    answer = Response()
    answer.status_code = status
    kind = NotFound if status is HTTPStatus.NOT_FOUND else APIError
    return kind(message, response=answer, explanation=message)


@dataclass
class Engine:
    """An engine.

    Attributes:
        root: Where the files of its volumes and containers are.
        at: Functions to run just before a call of the SDK, by its name and first argument; an error refuses the call.
        containers: What `docker inspect` shows, by id.
        networks: What `docker network inspect` shows, by id.
        volumes: Labels by name.
        images: Ids by name.
        files: Paths of files in containers, by container id.
        said: Logs, by container id.
        programs: Exit status and output of programs that are run in containers, by name.
    """

    root: Path
    at: dict[tuple[str, str], Callable[[], object]] = field(default_factory=dict)
    containers: dict[str, Document] = field(default_factory=dict)
    networks: dict[str, Document] = field(default_factory=dict)
    volumes: dict[str, dict[str, str] | None] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    files: dict[str, set[str]] = field(default_factory=dict)
    said: dict[str, bytes] = field(default_factory=dict)
    programs: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.numbers = itertools.count(1)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.inputs: dict[str, tuple[socket.socket, socket.socket]] = {}

    @property
    def client(self) -> DockerClient:
        """A client of it."""
        return cast("DockerClient", Client(self))

    @property
    def view(self) -> EngineView:
        """It, seen by labels."""
        return EngineView(self.client)

    def answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let every command of this process find this engine."""
        monkeypatch.setattr(connecting, "find_endpoint", lambda **_: None)
        monkeypatch.setattr(connecting, "open_client", lambda _endpoint: self.client)

    def run(
        self, component: str, stack: str = "dev", owner: str = "me", state: str = "running", volumes: Sequence[str] = ()
    ) -> Document:
        """Add a service's container; its id is its component's name."""
        naming = Naming(stack, owner)
        labels = naming.labels(component)
        document = copy.deepcopy(DOCUMENT)
        document.update({"Id": component, "Name": f"/{naming.container(component)}"})
        document.update({"Mounts": [{"Type": "volume", "Name": one, "Destination": f"/{one}"} for one in volumes]})
        document["Config"]["Labels"] = labels
        document["State"]["Status"] = state
        for one in volumes:
            self.volumes.setdefault(one, labels)
        return self.have(document)

    def have(self, document: Document) -> Document:
        """Add a container as `docker inspect` shows it."""
        self.containers[document["Id"]] = document
        return document

    def connect(self, name: str, labels: Mapping[str, str], *containers: str) -> str:
        """Add a network with containers on it; return its id."""
        made: Document = {
            "Id": f"id-{name}",
            "Name": name,
            "Driver": "bridge",
            "Internal": False,
            "Labels": dict(labels),
        }
        self.networks[made["Id"]] = {**made, "Containers": {one: {} for one in containers}}
        return f"id-{name}"

    def states(self) -> dict[str, str]:
        """Return the state of each container by its id."""
        return {key: one["State"]["Status"] for key, one in self.containers.items()}

    def folder(self, volume: str) -> Path:
        """Return the folder with the files of a volume."""
        path = self.root / "volumes" / volume
        path.mkdir(parents=True, exist_ok=True)
        return path

    def meet(self, call: str, key: str) -> None:
        """Run what `at` has for a call."""
        self.at.get((call, key), lambda: None)()

    def find(self, call: str, container: str) -> Document:
        """Return the container of a call, by its id or name."""
        self.meet(call, container)
        for one in self.containers.values():
            if container in {one["Id"], one["Name"].lstrip("/")}:
                return one
        raise refused(HTTPStatus.NOT_FOUND, f"No such container: {container}")

    def forget(self, container: str) -> None:
        """Remove a container with its connections, anonymous volumes and processes."""
        document = self.containers.pop(container)
        for network in self.networks.values():
            network["Containers"].pop(container, None)
        for mount in document.get("Mounts", []):
            if mount.get("Anonymous"):
                del self.volumes[mount["Name"]]
        for end in self.inputs.pop(container, ()):
            end.close()
        process = self.processes.pop(container, None)
        if process and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        if process:
            process.communicate()

    def outside(self, container: Document, text: str) -> str:
        """Return a text with the paths of a container's mounts replaced by their folders on this machine."""
        places = {one["Destination"]: self.folder(one["Name"]) for one in container.get("Mounts", [])}
        for place in container["HostConfig"]["Tmpfs"]:
            places[place] = self.folder(f"{container['Id']}{place}")
        pattern = r"(?<![\w.-])(" + "|".join(map(re.escape, places)) + r")\b"
        return re.sub(pattern, lambda found: str(places[found[1]]), text)


class Client:
    """A client of an engine's."""

    def __init__(self, engine: Engine) -> None:
        self.api = Api(engine)
        self.info = self.api.info
        self.containers = SimpleNamespace(get=self._get, create=self._create)
        self.volumes = SimpleNamespace(create=self._make_volume)
        self.images = SimpleNamespace(get=self._image)
        self._engine = engine

    def _get(self, container: str) -> Container:
        return Container(self.api, self._engine.find("get", container)["Id"])

    def _create(self, image: str, command: Sequence[str], **settings: Any) -> Container:
        engine, name = self._engine, settings["name"]
        engine.meet("create", name)
        if any(one["Name"] == f"/{name}" for one in engine.containers.values()):
            raise refused(HTTPStatus.CONFLICT, f"The container name {name} is in use")
        key = f"made-{next(engine.numbers)}"
        mounts = []
        for number, mount in enumerate(settings["mounts"]):
            source = mount["Source"] or f"{key}-{number}"
            engine.volumes.setdefault(source, settings["labels"])
            mounts.append({"Name": source, "Destination": mount["Target"], "Anonymous": mount["Source"] is None})
        environment = settings.get("environment", {})
        engine.have(
            {
                "Id": key,
                "Name": f"/{name}",
                "Config": {
                    "Labels": settings["labels"],
                    "Image": image,
                    "Entrypoint": settings["entrypoint"],
                    "Cmd": list(command),
                    "Env": [f"{one}={value}" for one, value in environment.items()],
                    "User": settings["user"],
                },
                "HostConfig": {
                    "ReadonlyRootfs": settings["read_only"],
                    "CapDrop": settings["cap_drop"],
                    "SecurityOpt": settings["security_opt"],
                    "Memory": settings["mem_limit"],
                    "Tmpfs": settings["tmpfs"],
                },
                "State": {"Status": "created", "ExitCode": 0, "StartedAt": ""},
                "NetworkSettings": {"Ports": {}, "Networks": {settings.get("network", "none"): {}}},
                "Mounts": mounts,
            }
        )
        return Container(self.api, key)

    def _make_volume(self, name: str, labels: dict[str, str]) -> None:
        self._engine.volumes.setdefault(name, labels)

    def _image(self, name: str) -> SimpleNamespace:
        if name not in self._engine.images:
            raise refused(HTTPStatus.NOT_FOUND, f"No such image: {name}")
        return SimpleNamespace(attrs={"Id": self._engine.images[name]})


class Container:
    """A container as the SDK has it."""

    def __init__(self, api: Api, key: str) -> None:
        self._api = api
        self.id = key

    @property
    def labels(self) -> dict[str, str]:
        return dict(self._api.inspect_container(self.id)["Config"]["Labels"])

    def attach_socket(self, params: Mapping[str, int]) -> socket.SocketIO:
        return self._api.attach_socket(self.id, params)

    def start(self) -> None:
        self._api.start(self.id)

    def logs(self, *, stream: bool, follow: bool) -> Iterator[bytes]:
        assert stream
        assert follow
        out = self._api.process(self.id).stdout
        assert out
        return iter(out)

    def wait(self) -> dict[str, int]:
        return {"StatusCode": self._api.process(self.id).wait(10)}

    def remove(self, *, v: bool, force: bool) -> None:
        self._api.remove_container(self.id, v=v, force=force)


class Api:
    """The SDK's own calls, answered as an engine does."""

    base_url = "http+docker://localhost"
    api_version = "1.41"
    timeout = 60

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def version(self, *, api_version: bool) -> Document:
        assert not api_version
        return {"Components": [{"Name": "Engine"}]}

    def info(self) -> Document:
        return {"ID": "this-engine", "SystemTime": "2026-11-28T01:00:00Z"}

    def containers(self, *, all: bool, filters: Mapping[str, list[str]] | None = None) -> list[Document]:  # noqa: A002
        assert all
        return [
            {
                "Id": key,
                "Names": [one["Name"]] if one["Name"] else [],
                "Labels": one["Config"]["Labels"],
                "Ports": [_port(*port) for port in one["NetworkSettings"].get("Ports", {}).items()],
            }
            for key, one in [*self._engine.containers.items()]
            if _carries(one["Config"]["Labels"], filters)
        ]

    def inspect_container(self, container: str) -> Document:
        document = self._engine.find("inspect_container", container)
        if LEAVING in document:
            document[LEAVING] -= 1
            if document[LEAVING] < 0:
                self._engine.forget(document["Id"])
                return self.inspect_container(container)
        return document

    def remove_container(self, container: str, *, v: bool, force: bool) -> None:
        document = self._engine.find("remove_container", container)
        if LEAVING in document or (document["State"]["Status"] == "running" and not force):
            raise refused(HTTPStatus.CONFLICT, f"removal of container {container} is already in progress")
        assert v, "what only this container used stays behind"
        self._engine.forget(document["Id"])

    def start(self, container: str) -> None:
        document = self._engine.find("start", container)
        if document["State"]["Status"] == "running":
            return
        moment = datetime(2026, 2, 1, tzinfo=UTC) + timedelta(seconds=next(self._engine.numbers))
        document["State"] |= {"Status": "running", "StartedAt": moment.isoformat()}
        if document["Config"].get("Entrypoint", ["cat"])[0] != "cat":
            self._engine.processes[document["Id"]] = self._spawn(document)

    def _spawn(self, document: Document) -> subprocess.Popen[bytes]:
        config = document["Config"]
        environ = dict(self._engine.outside(document, one).split("=", 1) for one in config["Env"])
        return subprocess.Popen(
            [self._engine.outside(document, one) for one in [*config["Entrypoint"], *config["Cmd"]]],
            stdin=self._engine.inputs[document["Id"]][1].fileno(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], **environ},
            start_new_session=True,
        )

    def process(self, container: str) -> subprocess.Popen[bytes]:
        return self._engine.processes[container]

    def stop(self, container: str, timeout: int = 10) -> None:
        document = self._engine.find("stop", container)
        assert timeout > 0
        if document["State"]["Status"] == "paused":
            raise refused(HTTPStatus.INTERNAL_SERVER_ERROR, "a paused container takes no signal")
        document["State"]["Status"] = "exited"

    def kill(self, container: str, signal: str) -> None:
        """End it as its signal to stop does; the state keeps which one was sent."""
        self._change("kill", container, "running", "exited")
        self._engine.find("kill", container)["State"]["Signal"] = signal

    def pause(self, container: str) -> None:
        self._change("pause", container, "running", "paused")

    def unpause(self, container: str) -> None:
        self._change("unpause", container, "paused", "running")

    def _change(self, call: str, container: str, was: str, now: str) -> None:
        state = self._engine.find(call, container)["State"]
        if state["Status"] != was:
            raise refused(HTTPStatus.CONFLICT, f"Container {container} is {state['Status']}")
        state["Status"] = now

    def logs(self, container: str, tail: int) -> bytes:
        key = self._engine.find("logs", container)["Id"]
        return b"".join(self._engine.said.get(key, b"").splitlines(keepends=True)[-tail:])

    # What runs in a container.
    def attach_socket(self, container: str, params: Mapping[str, int]) -> socket.SocketIO:
        assert params == {"stdin": 1, "stream": 1}
        ours, theirs = socket.socketpair()
        self._engine.inputs[self._engine.find("attach_socket", container)["Id"]] = ours, theirs
        # As over a Unix socket: a file, whose end is not the connection's, which its response holds.
        return ours.makefile("rwb", buffering=0)

    def exec_create(self, container: str, command: list[str], *, stdin: bool = False) -> Document:
        document = self._engine.find("exec_create", container)
        assert not stdin
        if document["State"]["Status"] != "running":
            raise refused(HTTPStatus.CONFLICT, f"Container {container} is not running")
        return {"Id": json.dumps([document["Id"], command])}

    def exec_start(self, execution: str, *, socket: bool = False) -> Any:
        status, out, said = self._execute(*json.loads(execution))
        document = self._engine.containers[json.loads(execution)[0]]
        document["Executed"] = {**document.get("Executed", {}), execution: status}
        return _frames(out, said) if socket else out

    def exec_inspect(self, execution: str) -> Document:
        return {"ExitCode": self._engine.containers[json.loads(execution)[0]]["Executed"][execution]}

    def _execute(self, container: str, command: list[str]) -> tuple[int, bytes, bytes]:
        document = self._engine.containers[container]
        if command[0] == "sh":
            # Scripts run for real, on the folders that are the volumes.
            words = [self._engine.outside(document, word) for word in command]
            done = subprocess.run(words, capture_output=True, check=False)
            return done.returncode, done.stdout, done.stderr
        if command[:2] == ["rm", "-f"]:
            self._engine.files.get(container, set()).difference_update(command[2:])
            return 0, b"", b""
        return *self._engine.programs[command[0]], b""

    @contextmanager
    def get(self, address: str, params: Mapping[str, str], **_: object) -> Iterator[SimpleNamespace]:
        """Read a folder of a container as an archive, as `cli.engine.streams.archive` does."""
        document = self._engine.find("archive", address.removesuffix("/archive").rpartition("/")[2])
        whole, folder = io.BytesIO(), Path(self._engine.outside(document, params["path"]))
        if not folder.exists():
            raise refused(HTTPStatus.NOT_FOUND, f"Could not find the file {params['path']}")
        with tarfile.open(fileobj=whole, mode="w") as files:
            files.add(folder, Path(params["path"]).name)
        yield SimpleNamespace(raise_for_status=lambda: None, iter_content=lambda _size: iter([whole.getvalue()]))

    # Networks.
    def networks(self, filters: Mapping[str, list[str]] | None = None) -> list[Document]:
        return [one for one in self._engine.networks.values() if _carries(one["Labels"], filters)]

    def inspect_network(self, network: str) -> Document:
        self._engine.meet("inspect_network", network)
        return copy.deepcopy(self._network(network))

    def _network(self, network: str) -> Document:
        if network not in self._engine.networks:
            raise refused(HTTPStatus.NOT_FOUND, f"network {network} not found")
        return self._engine.networks[network]

    def disconnect_container_from_network(self, container: str, network: str, *, force: bool) -> None:
        key = self._engine.find("disconnect", container)["Id"]
        assert force
        self._network(network)["Containers"].pop(key)

    def remove_network(self, network: str) -> None:
        if self.inspect_network(network)["Containers"]:
            raise refused(HTTPStatus.FORBIDDEN, f"network {network} has active endpoints")
        del self._engine.networks[network]

    # Volumes.
    def volumes(self, filters: Mapping[str, list[str]] | None = None) -> Document:
        found = self._engine.volumes.items()
        documents = [{"Name": name, "Driver": "local", "Labels": labels} for name, labels in found]
        return {"Volumes": [one for one in documents if _carries(one["Labels"], filters)] or None}

    def inspect_volume(self, volume: str) -> Document:
        if volume not in self._engine.volumes:
            raise refused(HTTPStatus.NOT_FOUND, f"no such volume: {volume}")
        return {"Name": volume, "Driver": "local", "Labels": self._engine.volumes[volume]}

    def remove_volume(self, volume: str) -> None:
        self._engine.meet("remove_volume", volume)
        if volume not in self._engine.volumes:
            raise refused(HTTPStatus.NOT_FOUND, f"no such volume: {volume}")
        mounts = [mount for one in self._engine.containers.values() for mount in one.get("Mounts", [])]
        if any(mount["Name"] == volume for mount in mounts):
            raise refused(HTTPStatus.CONFLICT, f"volume {volume} is in use")
        del self._engine.volumes[volume]


def _port(inner: str, bound: Sequence[Mapping[str, str]] | None) -> dict[str, int]:
    private = {"PrivatePort": int(inner.partition("/")[0])}
    return {**private, "PublicPort": int(bound[0]["HostPort"])} if bound else private


def _carries(labels: Any, filters: Mapping[str, list[str]] | None) -> bool:
    carried = {f"{name}={value}" for name, value in (labels or {}).items()}
    return {*(filters or {}).get("label", [])} <= carried


def _frames(out: bytes, said: bytes) -> socket.socket:
    ours, theirs = socket.socketpair()
    with theirs:
        for number, content in enumerate((out, said), start=1):
            theirs.sendall(struct.pack(">BxxxL", number, len(content)) + content)
    return ours
