"""A provider that is reached through an HTTP proxy (RFC 9110, section 9.3.6)."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from app.providers.client import Challenge, Provider
from app.providers.config import parse
from app.providers.errors import UnavailableError

PROVIDER = """[{"name": "bank", "title": "Bank", "kind": "oauth2", "client_id": "id", "client_secret": "s",
 "authorization_endpoint": "https://bank.example/auth", "token_endpoint": "https://bank.example/token",
 "subject_field": "sub", "proxy": "http://me:hidden@127.0.0.1:%d"}]"""


async def test_the_token_is_asked_for_through_its_proxy() -> None:
    heard: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        [config] = parse(PROVIDER % port)
        provider = Provider(config, "https://127.0.0.1:8182", ssl.create_default_context())
        with pytest.raises(UnavailableError) as raised:
            await provider.exchange("code", Challenge(state="s", verifier="v" * 43, nonce="n"))
    assert heard[0].startswith(b"CONNECT bank.example:443 HTTP/1.1\r\n")
    assert b"proxy-authorization: basic bwu6aglkzgvu" in heard[0].lower()
    assert "hidden" not in f"{raised.value} {raised.value.__cause__} {config!r}"
