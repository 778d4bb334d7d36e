"""Finding the Docker engine to use, and connecting to it."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.core import remedies
from cli.core.atomic_files import write_whole
from cli.core.errors import UserError
from cli.core.paths import cache_home
from cli.engine.endpoint import Endpoint, docker_folder, endpoints, unreadable
from infra.engine import ANSWER_SECONDS, client_of, is_podman, unsupported

if TYPE_CHECKING:
    from docker import DockerClient

_PROBE_SECONDS = 5


@dataclass(frozen=True)
class Engine:
    """An engine that answered."""

    endpoint: Endpoint
    version: str
    is_podman: bool = False


class UnreachableError(Exception):
    """An address at which no engine can be used; `denied` where this user may not use it."""

    def __init__(self, endpoint: Endpoint, reason: str, *, denied: bool = False) -> None:
        super().__init__(f"{endpoint.host} ({endpoint.origin}): {reason}")
        self.endpoint = endpoint
        self.denied = denied


def connect() -> DockerClient:
    """Connect to the engine that the user has chosen, else to the one that answers."""
    try:
        return open_client(find_endpoint(remember=False))
    except UnreachableError as failure:
        raise explain(failure) from failure


def find_endpoint(*, remember: bool = True) -> Endpoint:
    """Find the engine to use; only one that isn't remembered is asked whether it answers, which takes half a second."""
    candidates = endpoints()
    preferred = candidates[0]
    record = cache_home() / "engine.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, UnreachableError):
        if preferred.socket and json.loads(record.read_text())["host"] == preferred.host:
            check_connection(preferred)
            return preferred
    found = find_engine(candidates).endpoint
    if remember:
        with contextlib.suppress(OSError):
            write_whole(record, json.dumps({"host": found.host}))
    return found


def find_engine(candidates: Sequence[Endpoint] | None = None) -> Engine:
    """Return the first engine that answers; of several failures, a denied one is raised."""
    failures: list[UnreachableError] = []
    for endpoint in endpoints() if candidates is None else candidates:
        try:
            return probe(endpoint)
        except UnreachableError as error:
            failures.append(error)
    raise next((failure for failure in failures if failure.denied), failures[0])


def probe(endpoint: Endpoint) -> Engine:
    """Ask an engine for its version."""
    client = open_client(endpoint, _PROBE_SECONDS)
    from docker.errors import DockerException  # noqa: PLC0415 - slow to import

    try:
        version = client.version()
        return Engine(endpoint, str(version["Version"]), is_podman(version))
    except (DockerException, OSError, KeyError, ValueError) as error:
        raise UnreachableError(endpoint, str(error)) from error
    finally:
        client.close()


def open_client(endpoint: Endpoint, answer_seconds: int = ANSWER_SECONDS) -> DockerClient:
    """Connect to an engine."""
    check_connection(endpoint)
    from docker.errors import DockerException  # noqa: PLC0415 - slow to import

    try:
        return client_of(endpoint.environment(), answer_seconds)
    except (DockerException, OSError, ValueError) as error:
        raise UnreachableError(endpoint, str(error)) from error
    except (AttributeError, TypeError) as error:  # the SDK expects objects and texts wherever Docker writes them
        raise unreadable(docker_folder() / "config.json", f"A value has the wrong type: {error}.") from error


@contextlib.contextmanager
def answering_within(client: DockerClient, seconds: float) -> Iterator[None]:
    """Limit how long the engine may take for one answer."""
    before = client.api.timeout
    # Requests take fractions as well; the stubs know whole seconds only.
    client.api.timeout = seconds  # type: ignore[assignment]
    try:
        yield
    finally:
        client.api.timeout = before


def check_connection(endpoint: Endpoint) -> None:
    """Check in about a millisecond that something listens on a Unix socket; of other addresses only the form."""
    if refusal := unsupported(endpoint.host):
        raise UnreachableError(endpoint, refusal[0])
    if endpoint.socket is None:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_PROBE_SECONDS)
        try:
            connection.connect(str(endpoint.socket))
        except PermissionError as error:
            raise UnreachableError(endpoint, "permission denied", denied=True) from error
        except OSError as error:
            raise UnreachableError(endpoint, error.strerror or str(error)) from error


def explain(failure: UnreachableError) -> UserError:
    """Return the error for an engine that can't be used."""
    if failure.denied:
        return UserError(
            f"You may not use the Docker engine at {failure.endpoint.host}.",
            cause=str(failure),
            remedy="Join its group with `sudo usermod -aG docker $USER`, then log in again (or run `newgrp docker`).",
        )
    if refusal := unsupported(failure.endpoint.host):
        return UserError(
            f"The Docker engine at {failure.endpoint.host} can't be used.",
            cause=f"{failure.endpoint.origin} names it; {refusal[0]}",
            remedy=refusal[1],
        )
    if failure.endpoint.chosen:
        return UserError(
            f"The Docker engine that you chose by {failure.endpoint.origin} doesn't answer.",
            cause=str(failure),
            remedy=remedies.known(str(failure))
            or "Start it, or unset DOCKER_HOST and DOCKER_CONTEXT, or run `docker context use default`.",
        )
    return UserError(
        "No Docker engine is running.",
        cause=str(failure),
        remedy="Start Docker Desktop, or `sudo systemctl start docker`; where it isn't installed: "
        "`sudo apt-get install --yes docker.io && sudo usermod -aG docker $USER`, then log in again.",
    )
