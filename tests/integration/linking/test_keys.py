from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from app.core.models import ProviderConnection, TokenKey
from app.tokens.keys import DataKeys
from app.tokens.vault import MasterKeys, UnreadableError, new_key
from tests.integration.linking.conftest import CHALLENGE, OWNER, ProviderAtHand, change, link, tokens

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

    from app.linking.connections import Connections

    Sessions = async_sessionmaker[AsyncSession]


async def test_tokens_are_sealed_where_they_stand(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    row = await link(connections, provider)
    assert b"access-1" not in row.access_token
    assert await tokens(sessions, keys) == [("access-1", "refresh-1")]


async def test_a_ciphertext_cannot_be_moved_to_another_row(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    first = await link(connections, provider)
    second = await link(connections, provider, "account-2")
    async with sessions.begin() as session:
        moved = update(ProviderConnection).where(ProviderConnection.id == second.id)
        await session.execute(moved.values(access_token=first.access_token, refresh_token=first.refresh_token))
    with pytest.raises(UnreadableError, match=str(second.id)):
        await tokens(sessions, keys)


async def test_a_ciphertext_cannot_be_moved_to_another_column(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    row = await link(connections, provider)
    await change(sessions, access_token=row.refresh_token)
    with pytest.raises(UnreadableError):
        await tokens(sessions, keys)


async def test_another_master_key_opens_nothing(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions
) -> None:
    await link(connections, provider)
    with pytest.raises(UnreadableError):
        await tokens(sessions, DataKeys(MasterKeys("m1", {"m1": new_key()})))


async def test_the_first_key_is_made_once(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions
) -> None:
    grants = []
    for number in range(6):
        provider.subject = f"account-{number}"
        grants.append(await provider.exchange("code", CHALLENGE))
    await asyncio.gather(*(connections.repository.link(OWNER, "sandbox", grant) for grant in grants))
    async with sessions() as session:
        assert len((await session.scalars(select(TokenKey))).all()) == 1


async def test_a_new_key_is_the_current_one_though_another_is_ahead_of_the_clock(
    sessions: Sessions, keys: DataKeys
) -> None:
    master, wrapped = keys.master.wrap(new_key(), "ahead")
    ahead = TokenKey(id="ahead", master=master, wrapped=wrapped, created_at=datetime.now(UTC) + timedelta(hours=1))
    async with sessions.begin() as session:
        session.add(ahead)
    async with sessions.begin() as session:
        assert await keys.current(session) == "ahead"
    async with sessions.begin() as session:
        made = await keys.replace(session)
        assert await keys.current(session) == made != "ahead"


async def test_a_key_is_replaced_once_nobody_is_about_to_seal_under_it(sessions: Sessions, keys: DataKeys) -> None:
    async def replace() -> str:
        async with sessions.begin() as session:
            return await keys.replace(session)

    async with sessions.begin() as session:
        before = await keys.current(session)
        replaced = asyncio.create_task(replace())
        done, _ = await asyncio.wait([replaced], timeout=0.2)
        assert not done
        assert await keys.current(session) == before
    after = await replaced
    async with sessions() as session:
        assert await keys.current(session) == after != before


async def test_no_key_is_made_that_others_could_not_read(sessions: Sessions, keys: DataKeys) -> None:
    async with sessions.begin() as session:
        before = await keys.current(session)
    stranger = DataKeys(MasterKeys("m1", {"m1": new_key()}))
    with pytest.raises(UnreadableError, match=before):
        async with sessions.begin() as session:
            await stranger.replace(session)
    async with sessions() as session:
        assert await keys.current(session) == before
