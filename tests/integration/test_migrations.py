from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from alembic import command
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from app.migrate import LOCK, alembic_config, current_revision, head_revision, migrate

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine


async def tables(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


async def revision(engine: AsyncEngine) -> str | None:
    async with engine.connect() as connection:
        return await connection.run_sync(current_revision)


async def test_up_down_and_up_again(engine: AsyncEngine) -> None:
    def down(connection: Connection) -> None:
        command.downgrade(alembic_config(connection), "base")

    for _ in range(2):
        await migrate(engine, lock_timeout=10)
        assert await revision(engine) == head_revision()
        assert "provider_connections" in await tables(engine)
        async with engine.begin() as connection:
            await connection.run_sync(down)
        assert await tables(engine) == {"alembic_version"}


async def test_the_models_are_what_the_migrations_make(engine: AsyncEngine) -> None:
    await migrate(engine, lock_timeout=10)
    async with engine.connect() as connection:
        await connection.run_sync(lambda sync: command.check(alembic_config(sync)))


async def test_many_that_start_together_migrate_once(engine: AsyncEngine) -> None:
    with capture_logs() as entries:
        await asyncio.gather(*(migrate(engine, lock_timeout=20) for _ in range(10)))
    done = [entry for entry in entries if entry["event"] == "Migrations completed successfully"]
    assert len(done) == 10
    assert [entry["before"] for entry in done].count(None) == 1
    assert {entry["after"] for entry in done} == {head_revision()}


async def test_waits_no_longer_than_told_for_another_that_migrates(engine: AsyncEngine) -> None:
    async with engine.connect() as other:
        await other.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        with pytest.raises(DBAPIError, match="lock timeout"):
            await migrate(engine, lock_timeout=0.1)
    await migrate(engine, lock_timeout=10)


async def test_leaves_no_lock_behind(engine: AsyncEngine) -> None:
    await migrate(engine, lock_timeout=10)
    async with engine.connect() as connection:
        free = await connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK})
    assert free is True
