"""Connections that begin with their client's address, to a server of this process."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import logging
import socket
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
import uvloop

from app.run import proxied
from app.run.proxied import HEAD, SIGNATURE
from tests.proxy_header import header

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import Receive, Scope, Send

    from tests.certificates import Authority

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


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
