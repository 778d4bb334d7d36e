"""Serves connections that a balancer passes on without decrypting them: each begins with its client's address.

That is the PROXY protocol, version 2. Neither asyncio nor uvicorn knows it; it comes before the TLS handshake.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import logging
import struct
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

    from uvicorn import Server

    Client = tuple[str, int] | None

HEAD = struct.Struct("!12sBBH")
"""Signature, version and command, address family, and the length of what follows."""
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
VERSION = 2
LOCAL, PROXY = 0, 1
"""The commands: a connection of the balancer's own, such as a health check, or a client's."""
ADDRESS_BYTES = {0x11: 4, 0x21: 16}
"""Of IPv4 and IPv6, by the family of a TCP connection."""
MAX_HEADER_BYTES = 2048
"""Of what follows the head; a balancer sends less than a hundred."""

BEGIN_TIMEOUT = 5.0
"""Seconds for the header and the TLS handshake."""
PAUSE = 1.0
"""Seconds until connections are accepted again where the process has too many files open."""

log = logging.getLogger(__name__)


class HeaderError(Exception):
    """A connection doesn't begin as the protocol says."""


class Proxied(HttpToolsProtocol):
    """A connection whose client is the one that its balancer names."""

    named: Client = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin as every connection, with another client."""
        super().connection_made(transport)
        self.client = self.named or self.client


async def serve(server: Server, listening: socket.socket) -> None:
    """Accept connections until cancelled; the server has them from then on, and ends them with its own."""
    loop = asyncio.get_running_loop()
    listening.setblocking(False)
    with listening:
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    connection, _ = await loop.sock_accept(listening)
                except OSError as error:
                    log.warning(f"No connection can be accepted: {error.strerror or error}")
                    await asyncio.sleep(PAUSE)
                    continue
                connection.setblocking(False)
                group.create_task(_begin(server, connection))


async def named(read: Callable[[int], Awaitable[bytes]]) -> Client:
    """Return the client that a header names; None for a connection of the balancer's own.

    `read` returns so many bytes, and no more of them are read than the header has.
    """
    signature, command, family, length = HEAD.unpack(await read(HEAD.size))
    if signature != SIGNATURE or command >> 4 != VERSION or length > MAX_HEADER_BYTES:
        raise HeaderError("not the PROXY protocol, version 2")
    rest = await read(length)
    if command & 0xF == LOCAL:
        return None
    size = ADDRESS_BYTES.get(family)
    if command & 0xF != PROXY or size is None or length < 2 * size + 4:
        raise HeaderError("no client of a TCP connection")
    return str(ipaddress.ip_address(rest[:size])), int.from_bytes(rest[2 * size : 2 * size + 2])


async def _begin(server: Server, connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(BEGIN_TIMEOUT):
            client = await named(functools.partial(_exactly, loop, connection))
            make = functools.partial(_protocol, server, client)
            await loop.connect_accepted_socket(make, connection, ssl=server.config.ssl)
    except (OSError, EOFError, HeaderError) as error:  # a timeout is an OSError, and so is what TLS refuses
        log.debug(f"A connection did not begin: {error}")
        connection.close()
    except Exception:  # whatever it is, it must not end the others
        log.exception("A connection could not begin.")
        connection.close()
    except asyncio.CancelledError:
        connection.close()
        raise


def _protocol(server: Server, client: Client) -> Proxied:
    made = Proxied(server.config, server.server_state, server.lifespan.state)
    made.named = client
    return made


async def _exactly(loop: asyncio.AbstractEventLoop, connection: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        piece = await loop.sock_recv(connection, count - len(got))
        if not piece:
            raise EOFError("it ended within the header")
        got += piece
    return got
