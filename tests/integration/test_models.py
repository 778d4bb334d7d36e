from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, insert, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.models import ConnectionStatus, ProviderConnection, TokenKey

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncEngine


@pytest.fixture
async def session(database: AsyncEngine) -> AsyncIterator[AsyncSession]:
    async with AsyncSession(database) as session:
        yield session


OWNER = uuid.UUID(int=1)
VALUES = f"'{OWNER}', 'b', '1', '{{}}', 'k', 'sealed'"
INSERT = "INSERT INTO provider_connections (owner, provider, subject, scopes, key_id, access_token, status) VALUES"


@pytest.fixture(autouse=True)
async def _key(session: AsyncSession) -> None:
    session.add(TokenKey(id="k", master="m", wrapped=b"wrapped"))
    await session.commit()


def connection(owner: uuid.UUID = OWNER) -> ProviderConnection:
    return ProviderConnection(
        owner=owner,
        provider="bank",
        subject="1",
        status=ConnectionStatus.ACTIVE,
        scopes=["read"],
        key_id="k",
        access_token=b"sealed",
    )


async def test_keeps_what_it_is_given(session: AsyncSession) -> None:
    made = connection()
    session.add(made)
    await session.commit()
    await session.refresh(made)
    assert (made.provider, made.subject, made.status) == ("bank", "1", ConnectionStatus.ACTIVE)
    assert made.created_at == made.updated_at
    assert made.created_at.tzinfo is not None


async def test_the_database_alone_gives_key_and_times(session: AsyncSession) -> None:
    await session.execute(text(f"{INSERT} ({VALUES}, 'active')"))
    row = (await session.execute(text("SELECT * FROM provider_connections"))).mappings().one()
    assert all(row[column] is not None for column in ("id", "created_at", "updated_at", "refreshed_at"))
    assert (row["claimed_until"], row["retry_at"]) == (None, None)


async def test_one_connection_for_one_account(session: AsyncSession) -> None:
    session.add_all([connection(), connection()])
    with pytest.raises(IntegrityError, match="uq_provider_connections_owner_provider_subject"):
        await session.commit()


async def test_two_people_may_have_the_same_account(session: AsyncSession) -> None:
    session.add_all([connection(), connection(uuid.UUID(int=2))])
    await session.commit()


async def test_a_key_in_use_stays(session: AsyncSession) -> None:
    session.add(connection())
    await session.commit()
    with pytest.raises(IntegrityError, match="fk_provider_connections_key_id_token_keys"):
        await session.execute(delete(TokenKey))


async def test_no_other_status(session: AsyncSession) -> None:
    row = text(f"{INSERT} ({VALUES}, 'other')")
    with pytest.raises(IntegrityError, match="ck_provider_connections_status"):
        await session.execute(row)


async def test_an_error_never_shows_parameters(session: AsyncSession) -> None:
    statement = insert(ProviderConnection).values(provider="b", subject="hush", status=None)
    with pytest.raises(IntegrityError) as caught:
        await session.execute(statement)
    assert "[SQL parameters hidden" in str(caught.value)
