"""A Docker engine that answers what the program asks before it declares anything, with what a test puts on it."""

from __future__ import annotations

import json
import re
import socketserver
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from tests.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ID = "engine-under-test"
CLUSTER = "cluster-under-test"


class EngineDouble:
    """An engine with volumes, networks and containers, none of which runs."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.id = ID
        self.podman = False
        self.nodes: list[dict[str, Any]] = []
        self.posted: list[tuple[str, Any]] = []
        self._held: dict[str, list[dict[str, Any]]] = {"container": [], "network": [], "volume": [], "service": []}
        self.swarm: dict[str, Any] = {"LocalNodeState": "inactive"}
        self.digests: dict[str, str] = {}

    def put(self, kind: str, name: str, labels: Mapping[str, str] | None = None) -> None:
        """Put something on it; Docker lists what has no labels with null."""
        named = {"Names": [f"/{name}"]} if kind == "container" else {"Name": name}
        found = {**named, "Labels": dict(labels) if labels else None}
        self._held[kind].append({"Spec": found} if kind == "service" else found)

    def manage(self, *nodes: str) -> None:
        """Be the first node of a Swarm, and its manager."""
        self.nodes = [{"ID": f"id-of-{name}", "Description": {"Hostname": name}} for name in nodes]
        self.swarm = {"ControlAvailable": True, "NodeID": self.nodes[0]["ID"], "Cluster": {"ID": CLUSTER}}

    def answer(self, path: str) -> Any:  # noqa: ANN401 - any document
        """Return the document at a path of the API, or None."""
        digest = re.fullmatch(r"(?:/v[\d.]+)?/distribution/(.+)/json", path)
        if digest and digest[1] in self.digests:
            return {"Descriptor": {"digest": self.digests[digest[1]]}}
        components = [{"Name": "Podman Engine" if self.podman else "Engine"}]
        return {
            "version": {"Version": "27.0.1", "ApiVersion": "1.41", "Components": components},
            "info": {"ID": self.id, "Swarm": self.swarm},
            "nodes": self.nodes,
            "services": self._held["service"],
            "containers/json": self._held["container"],
            "networks": self._held["network"],
            "volumes": {"Volumes": self._held["volume"] or None},
        }.get(re.sub(r"^/(v[\d.]+/)?", "", path.partition("?")[0]))


@contextmanager
def listening(engine: EngineDouble, folder: Path) -> Iterator[str]:
    """Serve an engine on a socket in a folder with a short path, and give the address of that."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(engine.answer(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            engine.posted.append((self.path, json.loads(body or b"null")))
            self._send({} if self.path.endswith("/update") else None)

        def _send(self, document: Any) -> None:  # noqa: ANN401 - any document
            found = document is not None
            body = json.dumps(document if found else {"message": "No such container"}).encode()
            self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    with serving(Server(str(folder / "docker.sock"), Handler)):
        yield f"unix://{folder}/docker.sock"
