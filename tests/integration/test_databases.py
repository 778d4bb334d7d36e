from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError

from app.core.models import TokenKey
from tests.integration import databases as making
from tests.integration.databases import databases_for, engine_of, reset

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.core.settings import AppSettings
    from tests.integration.databases import Databases

NAMES = text("SELECT datname FROM pg_database WHERE starts_with(datname, :run)")


async def rows(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return await connection.scalar(select(func.count()).select_from(TokenKey)) or 0


async def fill(engine: AsyncEngine, count: int = 20) -> None:
    values = [{"id": str(n), "master": "m", "wrapped": b"wrapped"} for n in range(count)]
    async with engine.begin() as connection:
        await connection.execute(insert(TokenKey), values)


@pytest.mark.parametrize("time", ["first", "second"])
async def test_each_test_starts_clean_whatever_another_committed(
    database: AsyncEngine, cache: Redis, time: str
) -> None:
    assert await rows(database) == 0
    assert await cache.dbsize() == 0
    await fill(database)
    await cache.set("dashtam:pending", time)


async def test_the_service_sees_the_same(database: AsyncEngine, cache: Redis, own_settings: AppSettings) -> None:
    await fill(database, 3)
    assert await rows(engine_of(own_settings)) == 3
    assert cache.connection_pool.connection_kwargs["db"] == own_settings.redis_db


async def test_nothing_is_shared_with_the_environments_own(settings: AppSettings, own_settings: AppSettings) -> None:
    assert own_settings.database_name != settings.database_name
    assert own_settings.redis_db != settings.redis_db


async def test_what_holds_a_table_is_told(database: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "LOCK_SECONDS", 0.1)
    async with database.begin() as other:
        await other.execute(select(TokenKey))
        with pytest.raises(DBAPIError, match="lock timeout"):
            await reset(database)


async def test_clones_share_nothing(databases: Databases) -> None:
    async with databases.clone() as one, databases.clone() as other:
        await fill(engine_of(one))
        assert await rows(engine_of(other)) == 0


async def test_a_run_leaves_nothing(settings: AppSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_TESTRUNUID", "0" * 32)
    async with databases_for(settings) as one:
        async with databases_for(settings) as other, other.clone():
            pass
        assert f"{one.run}_template" in (await one.connection.scalars(NAMES, {"run": one.run})).all()
    async with engine_of(settings).connect() as connection:
        assert (await connection.scalars(NAMES, {"run": one.run})).all() == []


async def test_what_a_killed_run_left_is_dropped_and_nothing_else(settings: AppSettings, databases: Databases) -> None:
    left = "tests_ffffffffffff_0123"
    await databases.connection.execute(text(f"CREATE DATABASE {left}"))
    async with databases.clone() as held, databases_for(settings) as other:
        await other.sweep()
        assert (await other.connection.scalars(NAMES, {"run": left})).all() == []
        assert (await other.connection.scalars(NAMES, {"run": held.database_name})).all() == [held.database_name]
