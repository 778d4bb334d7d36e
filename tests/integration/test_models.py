from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import ConnectionStatus, ProviderConnection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncEngine


@pytest.fixture
async def session(database: AsyncEngine) -> AsyncIterator[AsyncSession]:
    async with AsyncSession(database) as session:
        yield session


def connection(subject: str = "1") -> ProviderConnection:
    return ProviderConnection(provider="bank", subject=subject, status=ConnectionStatus.PENDING)


async def test_keeps_what_it_is_given(session: AsyncSession) -> None:
    made = connection()
    session.add(made)
    await session.commit()
    await session.refresh(made)
    assert (made.provider, made.subject, made.status) == ("bank", "1", ConnectionStatus.PENDING)
    assert made.created_at == made.updated_at
    assert made.created_at.tzinfo is not None


async def test_a_change_moves_the_time_of_change(session: AsyncSession) -> None:
    made = connection()
    session.add(made)
    await session.commit()
    made.status = ConnectionStatus.ACTIVE
    await session.commit()
    await session.refresh(made)
    assert made.updated_at > made.created_at


async def test_the_database_alone_gives_key_and_times(session: AsyncSession) -> None:
    await session.execute(
        text("INSERT INTO provider_connections (provider, subject, status) VALUES ('b', '1', 'active')")
    )
    row = (await session.execute(text("SELECT * FROM provider_connections"))).mappings().one()
    assert all(row[column] is not None for column in ("id", "created_at", "updated_at"))


async def test_one_connection_for_one_account(session: AsyncSession) -> None:
    session.add_all([connection(), connection()])
    with pytest.raises(IntegrityError, match="uq_provider_connections_provider_subject"):
        await session.commit()


async def test_no_other_status(session: AsyncSession) -> None:
    row = text("INSERT INTO provider_connections (provider, subject, status) VALUES ('b', '1', 'other')")
    with pytest.raises(IntegrityError, match="ck_provider_connections_status"):
        await session.execute(row)


async def test_an_error_never_shows_parameters(session: AsyncSession) -> None:
    statement = insert(ProviderConnection).values(provider="b", subject="hush", status=None)
    with pytest.raises(IntegrityError) as caught:
        await session.execute(statement)
    assert "[SQL parameters hidden" in str(caught.value)
