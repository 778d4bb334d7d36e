"""What the cache's client repeats: connecting, and no command."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections import Counter
from contextlib import suppress
from http import HTTPStatus
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING, cast

import pytest
from fastapi import HTTPException
from pydantic import SecretStr
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.core import cache as caching
from app.core.cache import create_cache
from app.core.dependency_errors import is_outage
from app.core.settings import AppSettings
from app.http import ratelimit
from app.linking.authorizations import OneTimeStore, Pending
from tests.certificates import authority, new_authority
from tests.serving import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from redis.asyncio import Redis

    from tests.certificates import Authority

__all__ = ["authority", "new_authority"]

ANSWERS = {
    "HELLO": b"%1\r\n$5\r\nproto\r\n:3\r\n",
    "PING": b"+PONG\r\n",
    "GET": b"$5\r\nvalue\r\n",
    "GETDEL": b"_\r\n",
    "EXEC": b"*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n",
    "INCR": b"+QUEUED\r\n",
    "EXPIRE": b"+QUEUED\r\n",
}


class Server(ThreadingTCPServer):
    """A Redis that executes commands and may say nothing.

    Attributes:
        executed: How often it has executed each command.
        swallowed: How many of the next answers to each command are lost.
        closing: After how many of the next of each command the connection ends.
        resets: Whether connections are reset instead of closed, as by a firewall or a crash.
    """

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.executed: Counter[str] = Counter()
        self.swallowed: Counter[str] = Counter()
        self.closing: Counter[str] = Counter()
        self.resets = False

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        if self.resets and isinstance(request, socket.socket):
            request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.close()
        else:
            super().shutdown_request(request)


class Handler(StreamRequestHandler):
    def handle(self) -> None:
        server = cast("Server", self.server)
        with suppress(OSError):
            while command := self._read():
                server.executed[command] += 1
                if server.swallowed[command]:
                    server.swallowed[command] -= 1
                else:
                    self.wfile.write(ANSWERS.get(command, b"+OK\r\n"))
                if server.closing[command]:
                    server.closing[command] -= 1
                    return

    def _read(self) -> str:
        """Read a command: the number of its words, and each with its length before it (RESP)."""
        head = self.rfile.readline()
        words = [self.rfile.read(int(self.rfile.readline()[1:]) + 2).strip() for _ in range(int(head[1:] or 0))]
        return words[0].decode().upper() if words else ""


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue())
    with serving(Server(context)) as server:
        yield server


@pytest.fixture
async def cache(server: Server, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Redis]:
    monkeypatch.setattr(caching, "TIMEOUT", 0.3)
    settings = AppSettings.model_construct(
        redis_host="localhost",
        redis_port=server.server_address[1],
        redis_db=0,
        redis_user="dashtam",
        redis_password=SecretStr("a password"),
        tls_ca_file=authority.ca_file,
    )
    async with create_cache(settings) as made:
        yield made


async def test_a_one_time_value_is_taken_once_and_an_unknown_outcome_is_an_outage(server: Server, cache: Redis) -> None:
    server.swallowed["GETDEL"] = 1
    with pytest.raises(RedisTimeoutError) as raised:
        await OneTimeStore(cache, "pending", Pending, 60).take("name")
    assert is_outage(raised.value)
    assert server.executed["GETDEL"] == 1
    assert await OneTimeStore(cache, "pending", Pending, 60).take("name") is None, "the client is usable again"


async def test_a_use_is_counted_once(server: Server, cache: Redis) -> None:
    server.swallowed["EXEC"] = 1
    with pytest.raises(HTTPException) as raised:
        await ratelimit._require(cache, "link", {"session:1": 5, "address:1": 50})
    assert raised.value.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert server.executed["EXEC"] == 1


@pytest.mark.parametrize("is_reset", [False, True], ids=["ended", "reset"])
async def test_a_connection_that_ended_while_it_was_idle_is_replaced(
    server: Server, cache: Redis, is_reset: bool
) -> None:
    server.closing["GET"] = 1
    server.resets = is_reset
    assert await cache.get("key") == b"value"
    [idle] = cache.connection_pool._available_connections
    assert idle._writer
    with suppress(ConnectionError):
        await asyncio.wait_for(idle._writer.wait_closed(), 10)
    assert await cache.get("key") == b"value"
    assert server.executed["HELLO"] == 2


async def test_a_connection_that_leads_nowhere_any_more_is_replaced(server: Server, cache: Redis) -> None:
    await cache.get("key")
    [idle] = cache.connection_pool._available_connections
    idle.next_health_check = 0  # as after half a minute
    server.swallowed["PING"] = 1
    assert await cache.get("key") == b"value"
    assert server.executed["HELLO"] == 2
    assert server.executed["GET"] == 2


@pytest.mark.parametrize("lost", [1, 2])
async def test_connecting_is_repeated(server: Server, cache: Redis, lost: int) -> None:
    server.closing["HELLO"] = server.swallowed["HELLO"] = lost
    assert await cache.get("key") == b"value"
    assert server.executed["HELLO"] == lost + 1
