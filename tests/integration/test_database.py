"""The service's pool, when the database ends its connections."""

from __future__ import annotations

import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import async_sessionmaker

from app.core import database as module
from app.core.database import connected, create_engine, read, repeated
from app.core.models import Base, TokenKey
from tests.integration.databases import end_connections

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.core.settings import AppSettings

IN_TRANSACTION = text("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'transactionid'")
WRITE = text("CREATE TEMPORARY TABLE written (id int)")


@asynccontextmanager
async def pool(settings: AppSettings) -> AsyncIterator[AsyncEngine]:
    """The service's engine."""
    engine = create_engine(settings)
    try:
        yield engine
    finally:
        await engine.dispose()


async def test_a_read_is_repeated_where_its_connection_has_ended(empty: AppSettings, engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(TokenKey.__table__.insert().values(id="k", master="m", wrapped=b""))  # type: ignore[attr-defined]
    async with pool(empty) as pooled:
        sessions = async_sessionmaker(pooled)
        assert [one.id for one in await read(sessions, select(TokenKey))] == ["k"]
        await end_connections(engine)
        assert [one.id for one in await read(sessions, select(TokenKey))] == ["k"]


async def test_an_unused_connection_is_tried_before_it_is_used(
    empty: AppSettings, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PING_AFTER_SECONDS", 0)
    async with pool(empty) as pooled:
        async with pooled.begin() as connection:
            before = await connection.scalar(text("SELECT pg_backend_pid()"))
        await end_connections(engine)
        async with pooled.begin() as connection:
            after = await connection.scalar(text("SELECT pg_backend_pid()"))
    assert before != after


async def test_single_reads_have_no_transaction_and_leave_none_to_the_next(empty: AppSettings) -> None:
    async with pool(empty) as pooled:
        async with connected(pooled) as connection:
            await connection.execute(WRITE)
            assert await connection.scalar(IN_TRANSACTION) == 0
            await connection.execute(text("DROP TABLE written"))
        async with pooled.connect() as connection:
            await connection.execute(WRITE)
            assert await connection.scalar(IN_TRANSACTION) == 1


async def test_what_fails_for_another_reason_is_not_repeated(engine: AsyncEngine) -> None:
    tries: list[uuid.UUID] = []

    async def fail() -> None:
        tries.append(uuid.uuid4())
        async with connected(engine) as connection:
            await connection.execute(text("SELECT 1 FROM nowhere"))

    with pytest.raises(ProgrammingError):
        await repeated(fail)
    assert len(tries) == 1
