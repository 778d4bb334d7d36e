"""A provider whose host refuses connections, for real: what each step tells a person, and what it leaves."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import uuid
from contextlib import nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

import httpx2
import pytest

from app.linking.service import Linking
from app.main import create_app
from app.providers.client import Provider
from app.providers.config import ProviderConfig
from tests.integration.linking.test_api import PUBLIC, running
from tests.integration.linking.test_service import link_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from redis.asyncio import Redis

    from app.core.settings import AppSettings
    from app.linking.connections import Connections
    from app.main import State
    from tests.integration.linking.conftest import ProviderAtHand

HTML = {"Accept": "text/html"}
DOWN = "<h1>The provider is not available</h1>"


@pytest.fixture
def refusing() -> Iterator[int]:
    """A port that is taken, so that nobody else listens there, and refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def unreachable(refusing: int, connections: Connections, cache: Redis) -> Linking:
    """What links accounts, once the provider is out of reach."""
    settings = {
        "name": "sandbox",
        "title": "Sandbox",
        "kind": "oidc",
        "issuer": f"https://127.0.0.1:{refusing}",
        "scopes": ("openid",),
        "client_id": "dashtam",
        "client_secret": "secret",
    }
    provider = Provider(ProviderConfig.model_validate(settings), "https://localhost:8182", ssl.create_default_context())
    return Linking({"sandbox": provider}, connections, cache, PUBLIC)


@pytest.fixture
async def person(settings: AppSettings, unreachable: Linking, cache: Redis) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody with a session at the service."""
    state = cast("State", {"linking": unreachable, "cache": cache})
    app = create_app(settings.model_copy(update={"public_url": PUBLIC}), lambda _: nullcontext(state))
    transport = httpx2.ASGITransport(running(app, state))
    async with httpx2.AsyncClient(transport=transport, base_url=PUBLIC, headers=HTML) as client:
        session = (await client.get("/api/v1/session")).json()
        client.headers[session["csrf_header"]] = session["csrf_token"]
        yield client


@pytest.fixture
async def account(person: httpx2.AsyncClient, linking: Linking, provider: ProviderAtHand, refusing: int) -> uuid.UUID:
    """An account that was linked while the provider was in reach."""
    provider.issuer = f"https://127.0.0.1:{refusing}"
    [cookie] = person.cookies.jar
    return await link_for(linking, owner_of(cookie.value or ""))


def owner_of(cookie: str) -> uuid.UUID:
    """Read the owner out of a session's cookie, which is signed and not encrypted."""
    return uuid.UUID(json.loads(base64.b64decode(cookie.partition(".")[0]))["owner"])


async def test_connecting(person: httpx2.AsyncClient) -> None:
    answer = await person.post("/connect/sandbox")
    assert answer.status_code == HTTPStatus.BAD_GATEWAY
    assert DOWN in answer.text
    assert "so the account was not linked" in answer.text


async def test_refreshing(person: httpx2.AsyncClient, account: uuid.UUID) -> None:
    answer = await person.post(f"/connections/{account}/refresh")
    assert answer.status_code == HTTPStatus.BAD_GATEWAY
    assert DOWN in answer.text
    assert "so the account was not refreshed" in answer.text
    assert str(account) in (await person.get("/")).text


async def test_disconnecting(person: httpx2.AsyncClient, account: uuid.UUID) -> None:
    place = f"/connections/{account}/disconnect"
    answer = await person.post(place)
    assert answer.status_code == HTTPStatus.BAD_GATEWAY
    assert DOWN in answer.text
    assert "the account stays linked" in answer.text
    assert str(account) in (await person.get("/")).text
    assert f'href="{place}?forget=true"' in answer.text
    assert (await person.get(f"{place}?forget=true")).status_code == HTTPStatus.OK
    assert (await person.post(f"{place}?forget=true")).status_code == HTTPStatus.SEE_OTHER
    home = (await person.get("/")).text
    assert "its access is not revoked" in home
    assert str(account) not in home
