from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.ext.asyncio import async_sessionmaker

from app.core.models import ConnectionStatus, ProviderConnection
from app.linking import claims, repository
from app.linking.connections import Connections
from app.linking.repository import Repository
from app.tokens.keys import DataKeys
from app.tokens.rotation import rotate
from tests.integration.databases import engine_of
from tests.integration.linking.conftest import OWNER, ProviderAtHand, change, link, tokens

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncSession

    from app.core.settings import AppSettings

    Sessions = async_sessionmaker[AsyncSession]
    Asking = asyncio.Task[ProviderConnection]

SOON = timedelta(seconds=0.3)


@pytest.fixture
async def asking(connections: Connections, provider: ProviderAtHand) -> Asking:
    """A refresh whose provider was asked, and has not answered yet."""
    row = await link(connections, provider)
    return await provider.hanging(connections.refresh(OWNER, row.id, provider))


async def test_a_provider_that_hangs_takes_no_connection_to_the_database(
    own_settings: AppSettings, keys: DataKeys, provider: ProviderAtHand
) -> None:
    small = engine_of(own_settings, pool_size=1, max_overflow=0, pool_timeout=5)
    connections = Connections(Repository(async_sessionmaker(small, expire_on_commit=False), keys))
    rows = [await link(connections, provider, f"account-{number}") for number in range(10)]
    provider.hang()
    refreshes = [asyncio.create_task(connections.refresh(OWNER, row.id, provider)) for row in rows[:5]]
    leavings = [asyncio.create_task(connections.disconnect(OWNER, row.id, provider)) for row in rows[5:]]
    await provider.asked.wait()
    async with asyncio.timeout(4):
        assert len(await connections.repository.page(OWNER, 50, None)) == 10
        assert (await link(connections, provider, "another")).status is ConnectionStatus.ACTIVE
    provider.answers.set()
    await asyncio.gather(*refreshes, *leavings)
    await small.dispose()


async def test_who_goes_away_does_not_lose_the_new_tokens(
    asking: Asking, connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    provider.answers.set()
    await connections.settle()
    assert await tokens(sessions, keys) == [("access-2", "refresh-2")]


async def test_what_is_linked_again_meanwhile_counts(
    asking: Asking, connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    again = await link(connections, provider)
    provider.answers.set()
    assert (await asking).refreshed_at == again.refreshed_at
    assert await tokens(sessions, keys) == [("access-2", "refresh-2")]


async def test_keys_are_rotated_while_a_provider_is_asked(
    asking: Asking, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    done = await rotate(sessions, keys)
    assert (done.connections, done.retired) == (1, 1)
    provider.answers.set()
    assert (await asking).key_id == done.key
    assert await tokens(sessions, DataKeys(keys.master)) == [("access-2", "refresh-2")]


@pytest.mark.parametrize("ends", [-timedelta(days=1), SOON])
async def test_a_claim_ends_though_its_process_was_killed(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, ends: timedelta
) -> None:
    row = await link(connections, provider)
    until = datetime.now(UTC) + ends
    await change(sessions, claimed_until=until)
    await connections.refresh(OWNER, row.id, provider)
    assert provider.refreshed == ["refresh-1"]
    assert datetime.now(UTC) > until


async def test_what_was_renewed_meanwhile_is_not_renewed_again(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await link(connections, provider)
    await change(sessions, claimed_until=datetime.now(UTC) + timedelta(minutes=5))
    looked = asyncio.Event()

    async def look(session: AsyncSession, owner: UUID, connection: UUID) -> ProviderConnection:
        found = await repository.locked(session, owner, connection)
        looked.set()
        return found

    monkeypatch.setattr(claims, "locked", look)
    asking = asyncio.create_task(connections.refresh(OWNER, row.id, provider))
    await looked.wait()
    again = await link(connections, provider)
    await change(sessions, claimed_until=None)
    assert (await asking).refreshed_at == again.refreshed_at
    assert provider.refreshed == []
