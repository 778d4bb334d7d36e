"""The service's own settings for the environment under test, and databases and caches that a test may spoil."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.tokens.keys import DataKeys
from app.tokens.vault import MasterKeys, new_key
from tests.integration import commands
from tests.integration import databases as making
from tests.integration.caches import cache_of_its_own, clear
from tests.integration.service_settings import settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from redis.asyncio import Redis
    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.core.settings import AppSettings
    from tests.conftest import Endpoints
    from tests.integration.databases import Databases

    EngineFor = Callable[[AppSettings], AsyncEngine]


@pytest.fixture(scope="session")
def settings(endpoints: Endpoints) -> AppSettings:
    """The service's settings, as this process reaches the environment."""
    return settings_for(endpoints)


@pytest.fixture(scope="session")
def engine_of() -> EngineFor:
    """Make an engine whose connections end when they are no longer used."""
    return making.engine_of


@pytest.fixture(scope="session")
async def databases(settings: AppSettings) -> AsyncIterator[Databases]:
    """What makes databases of this run's own."""
    async with making.databases_for(settings) as databases:
        yield databases


@pytest.fixture
async def empty(databases: Databases) -> AsyncIterator[AppSettings]:
    """Settings that lead to an empty database, which is dropped afterwards."""
    async with databases.empty() as settings:
        yield settings


@pytest.fixture
def engine(empty: AppSettings, engine_of: EngineFor) -> AsyncEngine:
    """An engine of the empty database."""
    return engine_of(empty)


@pytest.fixture
async def migrated(databases: Databases, engine_of: EngineFor) -> AsyncIterator[AsyncEngine]:
    """An engine of a migrated database whose tables a test may change too; it is dropped afterwards."""
    async with databases.clone() as settings:
        yield engine_of(settings)


@pytest.fixture(scope="session")
async def kept(databases: Databases) -> AsyncIterator[tuple[AppSettings, AsyncEngine]]:
    """This worker's database, kept from test to test, and an engine that keeps connections to it."""
    async with databases.clone() as settings:
        engine = making.engine_of(settings, pool_size=5, max_overflow=15, pool_pre_ping=True)
        yield settings, engine
        await engine.dispose()


@pytest.fixture
async def database(kept: tuple[AppSettings, AsyncEngine]) -> AsyncIterator[AsyncEngine]:
    """An engine of a migrated database without rows; a test may change rows, not tables, and closes what it opens."""
    _, engine = kept
    await making.reset(engine)
    yield engine
    left = engine.pool.checkedout()  # type: ignore[attr-defined]
    assert left == 0, f"the test left {left} connections open"


@pytest.fixture(scope="session")
async def kept_cache(settings: AppSettings) -> AsyncIterator[tuple[AppSettings, Redis]]:
    """This worker's number of a database in Redis, and a client of it."""
    async with cache_of_its_own(settings) as kept:
        yield kept


@pytest.fixture
async def cache(kept_cache: tuple[AppSettings, Redis]) -> Redis:
    """A client of a Redis database without keys."""
    _, cache = kept_cache
    await clear(cache)
    return cache


@pytest.fixture
def sessions(database: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    return async_sessionmaker(database, expire_on_commit=False)


@pytest.fixture
def keys() -> DataKeys:
    return DataKeys(MasterKeys("m1", {"m1": new_key()}))


@pytest.fixture
def own_settings(
    kept: tuple[AppSettings, AsyncEngine],
    kept_cache: tuple[AppSettings, Redis],
    database: AsyncEngine,
    cache: Redis,
) -> AppSettings:
    """Settings that lead to the database and the cache of `database` and `cache`: for an app in this process."""
    del database, cache  # asked for so that both are clean
    return kept[0].model_copy(update={"redis_db": kept_cache[0].redis_db})


@pytest.fixture
def environ(own_settings: AppSettings, tmp_path: Path) -> dict[str, str]:
    """The environment of a process that works on this worker's database, with its secrets in `tmp_path`."""
    return commands.environ_for(own_settings, tmp_path)
