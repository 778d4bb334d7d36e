from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from app.core.models import ConnectionStatus, ProviderConnection
from app.run import seed
from app.tokens.keys import open_tokens

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

    from app.tokens.keys import DataKeys

    Sessions = async_sessionmaker[AsyncSession]

ALL = len(seed.PEOPLE) * len(seed.ACCOUNTS)


async def test_samples_of_each_state_are_added_with_tokens_that_open(sessions: Sessions, keys: DataKeys) -> None:
    assert await seed.add(sessions, keys) == ALL
    async with sessions() as session:
        rows = list(await session.scalars(select(ProviderConnection)))
        opened = {row.subject: tuple(await open_tokens(keys, session, row)) for row in rows}
    assert Counter(row.status for row in rows) == dict.fromkeys(ConnectionStatus, len(seed.PEOPLE))
    assert opened == {name: (f"sample-access-{name}", f"sample-refresh-{name}") for name in opened}
    assert {row.expires_at for row in rows} == {None}


async def test_what_is_there_stays_and_what_is_gone_comes_back(sessions: Sessions, keys: DataKeys) -> None:
    await seed.add(sessions, keys)
    async with sessions.begin() as session:
        mine = ProviderConnection.subject == "alice-checking"
        await session.execute(update(ProviderConnection).where(mine).values(status=ConnectionStatus.REVOKED))
        await session.execute(delete(ProviderConnection).where(ProviderConnection.subject == "bob-savings"))
    assert await seed.add(sessions, keys) == 1
    assert await seed.add(sessions, keys) == 0
    async with sessions() as session:
        found = {row.subject: row.status for row in await session.scalars(select(ProviderConnection))}
    assert len(found) == ALL
    assert found["alice-checking"] is ConnectionStatus.REVOKED
