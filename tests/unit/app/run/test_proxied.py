"""Connections that begin with their client's address, as HAProxy's `send-proxy-v2` has them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.run.proxied import HEAD, SIGNATURE, HeaderError, named, serve
from tests.proxy_header import header


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


async def test_the_port_is_free_once_it_serves_no_more() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(serve(Mock(), listening))
    await asyncio.sleep(0)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert listening.fileno() == -1
