"""Whose certificates are trusted of a provider."""

from __future__ import annotations

import asyncio
import json
import ssl
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from pydantic import SecretStr

from app.core.errors import ServiceError
from app.providers.client import make_providers
from app.providers.errors import RefusedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.core.settings import AppSettings
    from app.providers.client import Provider
    from tests.certificates import Authority

BODY = b'{"error": "invalid_grant"}'
ANSWER = b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"


@asynccontextmanager
async def bank(authority: Authority) -> AsyncIterator[str]:
    """Run a provider that refuses each refresh, with a certificate of an authority; give its token endpoint."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER % (len(BODY), BODY))
        await writer.drain()
        writer.close()

    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(authority.issue())
    async with await asyncio.start_server(refuse, "127.0.0.1", 0, ssl=tls) as server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/token"


def provider(authority: Authority, token_endpoint: str, **changes: str) -> Provider:
    entry = {
        "name": "bank",
        "title": "Bank",
        "kind": "oauth2",
        "client_id": "id",
        "client_secret": "s",
        "authorization_endpoint": "https://bank.example/auth",
        "token_endpoint": token_endpoint,
        **changes,
    }
    settings = SimpleNamespace(
        oauth_redirect_uri="https://127.0.0.1:8182/",
        providers=SecretStr(json.dumps([entry])),
        tls_ca_file=authority.ca_file,
    )
    return make_providers(cast("AppSettings", settings))["bank"]


async def test_a_private_authority_is_trusted_where_it_is_given(authority: Authority) -> None:
    certificates = authority.ca_file.read_text()
    async with bank(authority) as url:
        with pytest.raises(UnavailableError, match=r"can't be reached: its certificate is refused: .* certificate"):
            await provider(authority, url).refresh("a-refresh-token")
        with pytest.raises(RefusedError, match="invalid_grant"):
            await provider(authority, url, ca_certificates=certificates).refresh("a-refresh-token")


def test_what_is_no_certificate_ends_the_start(authority: Authority) -> None:
    with pytest.raises(ServiceError, match=r"0\.ca_certificates: Value error, it holds no readable certificate"):
        provider(authority, "https://bank.example/token", ca_certificates="-----BEGIN CERTIFICATE-----")
