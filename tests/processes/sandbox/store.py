"""A stand-in for Redis over TLS: it forgets nothing when it is taken away and comes back."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from fakeredis import FakeRedis, TcpFakeServer

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Server, StreamReader, StreamWriter, Transport
    from collections.abc import Coroutine
    from typing import Any

LOOPBACK = "127.0.0.1"


class PromptServer(TcpFakeServer):
    """Sends what it has at once: an answer of several parts would wait 40 ms for an acknowledgement in between."""

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address


class Store:
    """A server that ends TLS in front of a fake Redis, which speaks plain TCP alone.

    Args:
        tls: Its certificate and key.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._redis = PromptServer((LOOPBACK, 0))
        self._loop: AbstractEventLoop = asyncio.new_event_loop()
        self._threads = [
            threading.Thread(target=self._redis.serve_forever, args=(0.02,)),
            threading.Thread(target=self._loop.run_forever),
        ]
        for thread in self._threads:
            thread.start()
        self._connections: set[StreamWriter] = set()
        self._server: Server | None = None
        self.port = 0
        self.comes()

    def database(self, number: int) -> FakeRedis:
        """Return a client that sees all of a database."""
        return FakeRedis(server=self._redis.fake_server, db=number, decode_responses=True)

    def comes(self) -> None:
        """Listen, at the same port as before."""
        self._run(self._listen())

    def goes(self) -> None:
        """Stop listening, and drop every connection."""
        self._run(self._drop())

    def ends(self) -> None:
        """Stop for good."""
        self.goes()
        self._redis.shutdown()
        self._redis.server_close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        for thread in self._threads:
            thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _drop(self) -> None:
        if self._server:
            self._server.close()
        while self._connections:
            for one in self._connections:
                transport: Transport = one.transport  # type: ignore[assignment]
                transport.abort()
            await asyncio.sleep(0)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(LOOPBACK, self._redis.server_address[1])
        self._connections.add(writer)
        try:
            await asyncio.gather(_pass_on(reader, inner_writer), _pass_on(inner_reader, writer))
        finally:
            self._connections.discard(writer)


async def _pass_on(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
