from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from app.core.errors import ServiceError
from app.core.models import ProviderConnection, TokenKey
from app.tokens.keys import DataKeys
from app.tokens.rotation import BATCH, Rotated, rotate
from app.tokens.vault import new_key
from tests.integration.linking.conftest import ProviderAtHand, link, tokens

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

    from app.linking.connections import Connections

    Sessions = async_sessionmaker[AsyncSession]


async def several(connections: Connections, provider: ProviderAtHand, count: int) -> list[ProviderConnection]:
    return [await link(connections, provider, f"account-{number}") for number in range(count)]


async def used(sessions: Sessions) -> tuple[set[str], set[str]]:
    """Return the keys that there are, and those that something is sealed under."""
    async with sessions() as session:
        there = set((await session.scalars(select(TokenKey.id))).all())
        return there, set((await session.scalars(select(ProviderConnection.key_id))).all())


async def test_everything_is_sealed_anew(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    count = 2 * BATCH + 20
    rows = await several(connections, provider, count)
    before = await tokens(sessions, keys)
    done = await rotate(sessions, keys)
    assert (done.connections, done.retired, done.unreadable) == (count, 1, 0)
    assert await used(sessions) == ({done.key}, {done.key})
    assert await tokens(sessions, keys) == before
    after = await connections.repository.get(rows[0].owner, rows[0].id)
    assert (after.updated_at, after.refreshed_at) == (rows[0].updated_at, rows[0].refreshed_at)


async def test_no_read_fails_meanwhile(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    await several(connections, provider, 60)
    other_process = DataKeys(keys.master)
    reads = 0
    rotations = asyncio.create_task(_rotate_thrice(sessions, keys))
    while not rotations.done():
        assert len(await tokens(sessions, other_process)) == 60
        reads += 1
    await rotations
    assert reads > 1


async def _rotate_thrice(sessions: Sessions, keys: DataKeys) -> None:
    for _ in range(3):
        await rotate(sessions, keys)


async def test_no_link_fails_meanwhile(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    rotations = asyncio.create_task(_rotate_thrice(sessions, keys))
    links = 0
    while not rotations.done():
        await asyncio.gather(*(link(connections, provider, f"account-{links}-{one}") for one in range(4)))
        links += 4
    await rotations
    done = await rotate(sessions, keys)
    assert done.connections == links
    assert await used(sessions) == ({done.key}, {done.key})


async def test_one_of_nothing_is_fine(sessions: Sessions, keys: DataKeys) -> None:
    done = await rotate(sessions, keys)
    assert (done.connections, done.retired, done.unreadable) == (0, 0, 0)


async def test_two_at_once_end_and_leave_one_key(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    await several(connections, provider, BATCH + 10)
    before = await tokens(sessions, keys)
    async with asyncio.timeout(20):
        both = (rotate(sessions, DataKeys(keys.master)) for _ in range(2))
        done = await asyncio.gather(*both, return_exceptions=True)
    rotated = [one for one in done if isinstance(one, Rotated)]
    assert rotated
    assert all("another rotation is under way" in str(one) for one in done if isinstance(one, BaseException))
    assert await used(sessions) == ({rotated[-1].key}, {rotated[-1].key})
    assert await tokens(sessions, DataKeys(keys.master)) == before


async def test_one_at_a_time(sessions: Sessions, keys: DataKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def replace(session: AsyncSession) -> str:
        begun.set()
        await may_end.wait()
        return await DataKeys(keys.master).replace(session)

    monkeypatch.setattr(keys, "replace", replace)
    first = asyncio.create_task(rotate(sessions, keys))
    await begun.wait()
    with pytest.raises(ServiceError, match="another rotation is under way"):
        await rotate(sessions, DataKeys(keys.master))
    may_end.set()
    await first


async def test_a_key_ahead_of_the_clock_keeps_it_from_nothing(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    await several(connections, provider, 3)
    async with sessions.begin() as session:
        await session.execute(update(TokenKey).values(created_at=datetime.now(UTC) + timedelta(hours=1)))
    async with asyncio.timeout(20):
        done = await rotate(sessions, keys)
    assert (done.connections, done.retired) == (3, 1)
    assert (await link(connections, provider, "another")).key_id == done.key


@pytest.mark.parametrize("broken", ["tokens", "key"])
async def test_what_cannot_be_read_keeps_its_key_and_nothing_else_from_a_new_one(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys, broken: str
) -> None:
    rows = await several(connections, provider, BATCH + 10)
    lost = min(row.id for row in rows)
    change: dict[str, object] = {"access_token": b"changed"}
    async with sessions.begin() as session:
        if broken == "key":
            session.add(
                TokenKey(id="lost", master="m1", wrapped=new_key(), created_at=datetime(2000, 1, 1, tzinfo=UTC))
            )
            await session.flush()
            change = {"key_id": "lost"}
        await session.execute(update(ProviderConnection).where(ProviderConnection.id == lost).values(change))
    with capture_logs() as entries:
        done = await rotate(sessions, keys)
    assert (done.connections, done.unreadable) == (BATCH + 9, 1)
    assert [entry["connection"] for entry in entries] == [str(lost)]
    kept = rows[0].key_id if broken == "tokens" else "lost"
    assert await used(sessions) == ({done.key, kept}, {done.key, kept})
