"""Connections that begin with their client's address, as HAProxy's `send-proxy-v2` has them."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import logging
import socket
import ssl
import struct
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from app.run import proxied
from app.run.proxied import HEAD, SIGNATURE, HeaderError, named

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import Receive, Scope, Send

    from tests.unit.app.conftest import Authority

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
TLV = b"\x03\0\x04abcd"
"""What HAProxy may add: here a checksum."""


def header(client: str, port: int, *, command: int = 0x21, more: bytes = b"") -> bytes:
    family = socket.AF_INET6 if ":" in client else socket.AF_INET
    source, own = (socket.inet_pton(family, one) for one in (client, "::1" if ":" in client else "127.0.0.1"))
    rest = source + own + struct.pack("!HH", port, 8001) + more
    return HEAD.pack(SIGNATURE, command, 0x21 if ":" in client else 0x11, len(rest)) + rest


async def parsed(data: bytes) -> tuple[tuple[str, int] | None, bytes]:
    stream = asyncio.StreamReader()
    stream.feed_data(data)
    stream.feed_eof()
    return await named(stream.readexactly), await stream.read()


@given(st.ip_addresses().map(str), st.integers(0, 65535), st.binary(max_size=500), st.binary(max_size=20))
def test_a_header_names_the_client_and_no_byte_after_it_is_read(ip: str, port: int, more: bytes, after: bytes) -> None:
    client, left = asyncio.run(parsed(header(ip, port, more=more) + after))
    assert client == (ip, port)
    assert left == after


async def test_a_connection_of_the_balancers_own_names_nobody() -> None:
    assert await parsed(HEAD.pack(SIGNATURE, 0x20, 0, 0)) == (None, b"")
    assert await parsed(header("192.0.2.7", 4711, command=0x20)) == (None, b"")


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(64),  # TLS at once
        b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 8001\r\n",  # version 1
        HEAD.pack(SIGNATURE, 0x31, 0x11, 12) + bytes(12),
        HEAD.pack(SIGNATURE, 0x22, 0x11, 12) + bytes(12),
        HEAD.pack(SIGNATURE, 0x21, 0x12, 12) + bytes(12),  # UDP
        HEAD.pack(SIGNATURE, 0x21, 0x11, 11) + bytes(11),
        HEAD.pack(SIGNATURE, 0x21, 0x21, 12) + bytes(12),
        HEAD.pack(SIGNATURE, 0x21, 0x11, 65535) + bytes(65535),
    ],
)
async def test_what_begins_otherwise_is_refused(data: bytes) -> None:
    with pytest.raises(HeaderError):
        await parsed(data)


@given(st.binary(max_size=80) | st.binary(max_size=40).map(lambda rest: header("192.0.2.7", 1)[:16] + rest))
def test_no_bytes_do_anything_else(data: bytes) -> None:
    with contextlib.suppress(HeaderError, EOFError):
        asyncio.run(parsed(data))


async def tells(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that answers with the address of its client."""
    del receive
    body = f"{scope['scheme']} {scope['client'][0]} {scope['client'][1]}".encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def serving(tls: dict[str, str]) -> AsyncIterator[tuple[str, int]]:
    certificate, key = tls["TLS_CERTIFICATE_FILE"], tls["TLS_KEY_FILE"]
    config = uvicorn.Config(tells, port=0, lifespan="off", log_config=None, ssl_certfile=certificate, ssl_keyfile=key)
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        edge = asyncio.create_task(proxied.serve(server, listening))
        try:
            yield listening.getsockname()
        finally:
            edge.cancel()
            await asyncio.wait([edge])
            for connection in list(server.server_state.connections):
                connection.shutdown()
    assert edge.cancelled()


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.ca_file))


def request(address: tuple[str, int], begin: bytes, context: ssl.SSLContext, *, at_once: bool = True) -> str:
    """Ask over a connection that begins with some bytes."""
    with socket.create_connection(address, timeout=20) as plain:
        for part in [begin] if at_once else [begin[:7], begin[7:20], begin[20:]]:
            plain.sendall(part)
        with context.wrap_socket(plain, server_hostname="localhost") as encrypted:
            answer = http.client.HTTPSConnection("localhost")
            answer.sock = encrypted
            answer.request("GET", "/")
            return answer.getresponse().read().decode()


@pytest.mark.parametrize("loop", LOOPS)
def test_the_app_sees_the_client_that_the_header_names(
    loop: Callable[[], asyncio.AbstractEventLoop], tls_environment: dict[str, str], authority: Authority
) -> None:
    context = trusting(authority)

    async def main() -> None:
        async with serving(tls_environment) as address:
            for client, at_once in [("192.0.2.7", True), ("2001:db8::7", True), ("192.0.2.8", False)]:
                said = await asyncio.to_thread(request, address, header(client, 4711), context, at_once=at_once)
                assert said == f"https {client} 4711"
            said = await asyncio.to_thread(request, address, HEAD.pack(SIGNATURE, 0x20, 0, 0), context)
            assert said.startswith("https 127.0.0.1 ")

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: app\r\n\r\n",
        b"\r\n\r\n",
        header("192.0.2.7", 4711),  # and no TLS
        header("192.0.2.7", 4711) + b"GET / HTTP/1.1\r\nHost: app\r\n\r\n",
    ],
)
def test_whoever_says_nothing_of_a_client_is_not_served_and_others_are(
    loop: Callable[[], asyncio.AbstractEventLoop],
    begin: bytes,
    tls_environment: dict[str, str],
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proxied, "BEGIN_TIMEOUT", 0.5)

    def refused(address: tuple[str, int]) -> bytes:
        with socket.create_connection(address, timeout=20) as plain:
            plain.sendall(begin)
            with contextlib.suppress(ConnectionResetError):
                return plain.recv(1)
        return b""

    def leave(address: tuple[str, int]) -> None:
        with socket.create_connection(address, timeout=20) as plain:
            plain.sendall(begin)

    async def main() -> None:
        async with serving(tls_environment) as address:
            await asyncio.to_thread(leave, address)
            assert await asyncio.to_thread(refused, address) == b""
            said = await asyncio.to_thread(request, address, header("192.0.2.7", 4711), trusting(authority))
            assert said == "https 192.0.2.7 4711"

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


async def test_connections_are_accepted_again_once_files_can_be_opened(
    tls_environment: dict[str, str],
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(proxied, "PAUSE", 0)
    loop = asyncio.get_running_loop()
    accept, failed = loop.sock_accept, [OSError(24, "Too many open files")]

    async def accepting(listening: socket.socket) -> tuple[socket.socket, Any]:
        if failed:
            raise failed.pop()
        return await accept(listening)

    monkeypatch.setattr(loop, "sock_accept", accepting)
    with caplog.at_level(logging.WARNING):
        async with serving(tls_environment) as address:
            said = await asyncio.to_thread(request, address, header("192.0.2.7", 4711), trusting(authority))
    assert said == "https 192.0.2.7 4711"
    assert "Too many open files" in caplog.text
