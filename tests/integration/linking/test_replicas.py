"""Two replicas of the app, each with an engine, a cache's client and keys of its own, on one database and one cache."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from sqlalchemy.ext.asyncio import async_sessionmaker

from app.callback.delivery import PATH
from app.core.cache import create_cache
from app.core.revision import head_revision
from app.http import ratelimit
from app.http.ratelimit import WINDOW
from app.linking.connections import Connections
from app.linking.refresher import BATCH, refresh_due
from app.linking.repository import Repository
from app.linking.service import Linking
from app.main import create_app, create_internal
from app.tokens.keys import DataKeys
from app.tokens.rotation import rotate
from tests.integration.databases import engine_of
from tests.integration.linking.conftest import ISSUER, OWNER, ProviderAtHand, link, tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncSession
    from starlette.types import ASGIApp, Receive, Scope, Send

    from app.core.settings import AppSettings
    from app.main import State

API = "/api/v1"
PUBLIC = "https://localhost:8000"
START = f"{API}/providers/sandbox/connections"


@dataclass(frozen=True)
class Replica:
    """A replica: its parts, and clients of its two apps as another process has them."""

    connections: Connections
    sessions: async_sessionmaker[AsyncSession]
    keys: DataKeys
    public: ASGIApp
    internal: httpx2.AsyncClient


@pytest.fixture
async def replicas(
    own_settings: AppSettings, keys: DataKeys, provider: ProviderAtHand
) -> AsyncIterator[tuple[Replica, Replica]]:
    async with AsyncExitStack() as running:
        yield (
            await _replica(own_settings, keys, provider, running),
            await _replica(own_settings, keys, provider, running),
        )


async def _replica(settings: AppSettings, keys: DataKeys, provider: ProviderAtHand, running: AsyncExitStack) -> Replica:
    engine = engine_of(settings, pool_size=5)
    running.push_async_callback(engine.dispose)
    cache = await running.enter_async_context(create_cache(settings))
    sessions, own = async_sessionmaker(engine, expire_on_commit=False), DataKeys(keys.master)
    connections = Connections(Repository(sessions, own))
    linking = Linking({provider.name: provider}, connections, cache, PUBLIC)
    state = {"engine": engine, "cache": cache, "head": head_revision(), "linking": linking}
    named = settings.model_copy(update={"public_url": PUBLIC})
    public, internal = (
        _with(app, cast("State", state))
        for app in (create_app(named, lambda _: nullcontext(state)), create_internal(lambda _: nullcontext(state)))  # type: ignore[arg-type]
    )
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(internal), base_url="https://app:9000")
    return Replica(connections, sessions, own, public, await running.enter_async_context(client))


def _with(app: ASGIApp, state: State) -> ASGIApp:
    async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": dict(state)}, receive, send)

    return with_state


@pytest.fixture
async def person(replicas: tuple[Replica, Replica]) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody whose requests alternate between the replicas; the session begins at the first."""
    count = 0

    async def alternate(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal count
        count += 1
        await replicas[(count - 1) % 2].public(scope, receive, send)

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(alternate), base_url=PUBLIC) as client:
        session = (await client.get(f"{API}/session")).json()
        client.headers[session["csrf_header"]] = session["csrf_token"]
        yield client


async def test_each_step_of_a_link_may_come_to_another_replica(
    replicas: tuple[Replica, Replica], person: httpx2.AsyncClient
) -> None:
    started = await person.post(START)  # at the second, with the session and the token of the first
    assert started.status_code == HTTPStatus.CREATED
    state = parse_qs(urlsplit(started.json()["authorization_url"]).query)["state"][0]
    redirect = {"state": state, "code": "the-code", "iss": ISSUER}
    received = await replicas[0].internal.post(PATH, json=redirect)
    assert received.status_code == HTTPStatus.OK
    again = await replicas[1].internal.post(PATH, json=redirect)
    assert again.status_code == HTTPStatus.BAD_REQUEST
    finished = await person.get(received.json()["continue_url"])
    assert finished.status_code == HTTPStatus.SEE_OTHER
    seen = [(await person.get(f"{API}/connections")).json()["items"] for _ in replicas]
    assert seen[0] == seen[1]
    assert [one["subject"] for one in seen[0]] == ["account-1"]


async def test_a_limit_counts_all_replicas(person: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "time", SimpleNamespace(time=lambda: WINDOW * 1000.0))
    codes = [(await person.post(START)).status_code for _ in range(22)]
    assert codes == [HTTPStatus.CREATED] * 20 + [HTTPStatus.TOO_MANY_REQUESTS] * 2


async def test_what_is_due_is_refreshed_by_one_of_two_refreshers(
    replicas: tuple[Replica, Replica], provider: ProviderAtHand
) -> None:
    provider.lifetime, provider.delay = timedelta(seconds=30), 0.01
    for number in range(BATCH):
        await link(replicas[0].connections, provider, f"account-{number}")
    provider.lifetime = timedelta(hours=1)
    await asyncio.gather(*(refresh_due(one.connections, provider) for one in replicas))
    assert sorted(provider.refreshed) == sorted(f"refresh-{number + 1}" for number in range(BATCH))
    assert [await refresh_due(one.connections, provider) for one in replicas] == [0, 0]


async def test_two_who_refresh_one_connection_at_once_spend_its_token_once(
    replicas: tuple[Replica, Replica], provider: ProviderAtHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await link(replicas[0].connections, provider)
    provider.hang_until_another_waits(monkeypatch)
    await asyncio.gather(*(one.connections.refresh(OWNER, row.id, provider) for one in replicas))
    assert provider.refreshed == ["refresh-1"]


async def test_keys_rotated_at_one_replica_are_found_by_the_other(
    replicas: tuple[Replica, Replica], provider: ProviderAtHand
) -> None:
    first, second = replicas
    await link(second.connections, provider)
    before = await tokens(second.sessions, second.keys)  # it knows the old key now, and no other
    rotated = await rotate(first.sessions, first.keys)
    assert (rotated.connections, rotated.retired) == (1, 1)
    assert await tokens(second.sessions, second.keys) == before
    row = await link(second.connections, provider, "account-2")
    assert row.key_id == rotated.key
    assert len(await tokens(first.sessions, first.keys)) == 2
