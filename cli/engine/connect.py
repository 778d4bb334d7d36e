"""Finding a Docker engine that answers."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.core.errors import UserError
from cli.engine.endpoint import Endpoint, endpoints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from docker import DockerClient

_TIMEOUT_SECONDS = 5
_PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Engine:
    """An engine that answered."""

    endpoint: Endpoint
    version: str

    @property
    def host(self) -> str:
        """Its address."""
        return self.endpoint.host

    @property
    def origin(self) -> str:
        """Who named that address."""
        return self.endpoint.origin


class UnreachableError(Exception):
    """An address at which no engine can be used."""

    def __init__(self, endpoint: Endpoint, reason: str, *, denied: bool = False) -> None:
        super().__init__(f"{endpoint.host} ({endpoint.origin}): {reason}")
        self.endpoint = endpoint
        self.denied = denied


def probe(endpoint: Endpoint) -> Engine:
    """Ask an engine for its version."""
    client = open_client(endpoint, _TIMEOUT_SECONDS)
    from docker.errors import DockerException  # noqa: PLC0415 - slow to import

    try:
        return Engine(endpoint, str(client.version()["Version"]))
    except (DockerException, OSError, KeyError, ValueError) as error:
        raise UnreachableError(endpoint, str(error)) from error
    finally:
        client.close()


def open_client(endpoint: Endpoint, patience: int = _PATIENCE_SECONDS) -> DockerClient:
    """Connect to an engine."""
    check_connection(endpoint)
    import docker  # noqa: PLC0415 - slow to import
    from docker.errors import DockerException  # noqa: PLC0415
    from docker.tls import TLSConfig  # noqa: PLC0415

    try:
        folder = endpoint.certificates
        tls = None
        if folder:
            pair = (str(folder / "cert.pem"), str(folder / "key.pem"))
            tls = TLSConfig(client_cert=pair, ca_cert=str(folder / "ca.pem"), verify=True)
        # Without a version of its own it asks for the engine's.
        return docker.DockerClient(base_url=endpoint.host, tls=tls or False, timeout=patience)
    except (DockerException, OSError, ValueError) as error:
        raise UnreachableError(endpoint, str(error)) from error


def check_connection(endpoint: Endpoint) -> None:
    """Check in about a millisecond that something listens on a Unix socket; other addresses are not checked."""
    if endpoint.socket is None:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_TIMEOUT_SECONDS)
        try:
            connection.connect(str(endpoint.socket))
        except PermissionError as error:
            raise UnreachableError(endpoint, "permission denied", denied=True) from error
        except OSError as error:
            raise UnreachableError(endpoint, error.strerror or str(error)) from error


def find_engine(candidates: Sequence[Endpoint] | None = None) -> Engine:
    """Find the engine to use, changing nothing."""
    failures: list[UnreachableError] = []
    for endpoint in endpoints() if candidates is None else candidates:
        try:
            return probe(endpoint)
        except UnreachableError as error:
            failures.append(error)
    raise next((failure for failure in failures if failure.denied), failures[0])


def explain(failure: UnreachableError) -> UserError:
    """Turn an unreachable engine into what a user needs to know."""
    if failure.denied:
        return UserError(
            f"You may not use the Docker engine at {failure.endpoint.host}.",
            cause=str(failure),
            remedy="Join its group with `sudo usermod -aG docker $USER`, then log in again (or run `newgrp docker`).",
        )
    if failure.endpoint.chosen:
        return UserError(
            f"The Docker engine that you chose by {failure.endpoint.origin} doesn't answer.",
            cause=str(failure),
            remedy="Start it, or unset DOCKER_HOST and DOCKER_CONTEXT, or run `docker context use default`.",
        )
    return UserError(
        "No Docker engine is running.",
        cause=str(failure),
        remedy="Start Docker Desktop, or `sudo systemctl start docker`; where it isn't installed: "
        "`sudo apt-get install --yes docker.io && sudo usermod -aG docker $USER`, then log in again.",
    )
