"""Keeps what the Docker SDK loses of a command's output: the part that arrives together with the head of the answer.

The SDK reads the head through a buffer, and all else from the socket below: what came into the buffer too is lost, with
no error (docker/docker-py#2042 and #3332). On a busy computer, that is all that a short command writes.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from docker import APIClient
    from requests import Response


class Connection:
    """A connection to a container, as the SDK and `cli.engine.streams` use one; it begins with what the buffer has."""

    def __init__(self, connection: Any, response: Response, early: bytes) -> None:  # noqa: ANN401 - the SDK's
        self._sock = getattr(connection, "_sock", connection)
        self._response = response  # closes the connection when nothing refers to it
        self._early = early

    def recv(self, size: int) -> bytes:
        """Return at most so many bytes, and none at the end."""
        if not self._early:
            received: bytes = self._sock.recv(size)
            return received
        received, self._early = self._early[:size], self._early[size:]
        return received

    def fileno(self) -> int:
        """Return the number by which the SDK waits for more."""
        number: int = self._sock.fileno()
        return number

    def close(self) -> None:
        """End it."""
        self._response.close()
        self._sock.close()


def keep_output(api: APIClient) -> None:
    """Have a client of an engine lose nothing of what commands write."""
    sdk: Any = api  # its stubs don't know what `exec_start` and `attach` read from
    below = sdk._get_raw_response_socket  # noqa: SLF001

    def whole(response: Response) -> Any:  # noqa: ANN401
        connection, raw = below(response), cast("Any", response.raw)
        head = raw._fp.fp  # noqa: SLF001
        # A named pipe of Windows has no socket.
        return Connection(connection, response, _buffered(head)) if hasattr(head.raw, "_sock") else connection

    sdk._get_raw_response_socket = whole  # noqa: SLF001


def _buffered(head: Any) -> bytes:  # noqa: ANN401 - a BufferedReader of a socket
    connection = head.raw._sock  # noqa: SLF001
    timeout = connection.gettimeout()
    connection.settimeout(0)
    try:
        found: bytes = head.peek()
    except ssl.SSLWantReadError:
        found = b""
    finally:
        connection.settimeout(timeout)
    return found
