"""Whether a Docker engine answers, asked before the first resource is declared."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

DEFAULT_HOST = "unix:///var/run/docker.sock"
TIMEOUT = 5.0
"""Seconds."""


class EngineError(Exception):
    """No engine answers; the text names the cause and the remedy."""


def require() -> None:
    """Make sure that the engine that the provider will use accepts connections.

    Only what this machine can tell cheaply is asked: a local socket or a TCP address. Another kind of host, such as
    ssh, is left to the provider.

    Raises:
        EngineError: The engine doesn't accept a connection.
    """
    host = os.environ.get("DOCKER_HOST") or DEFAULT_HOST
    try:
        address = urlsplit(host)
        if address.scheme == "unix":
            _connect(socket.AF_UNIX, address.path)
        elif address.scheme == "tcp":
            socket.create_connection((address.hostname or "localhost", address.port or 2375), TIMEOUT).close()
    except (OSError, ValueError) as error:
        raise EngineError(
            f"No Docker engine answers at {host}: {getattr(error, 'strerror', None) or error}. {_remedy(error)}"
            " `./dashtam doctor` tells more."
        ) from None


def _connect(family: socket.AddressFamily, address: str) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT)
        connection.connect(address)


def _remedy(error: Exception) -> str:
    if isinstance(error, ValueError):
        return "Write DOCKER_HOST as unix:///var/run/docker.sock or tcp://HOST:PORT."
    if isinstance(error, PermissionError):
        return (
            "This user may not use it: add it to the docker group (`sudo usermod -aG docker $USER`, then log in again)."
        )
    return "Start Docker Desktop or the docker service; `./dashtam up` installs and starts one where it may."
