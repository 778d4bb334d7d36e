"""What must be so before the app serves: cache reachable, database reachable and migrated."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sqlalchemy import NullPool
from sqlalchemy.exc import DBAPIError

from app.core.cache import cache_for
from app.core.database import engine_for
from app.core.dependency_errors import explain
from app.core.errors import ServiceError
from app.core.migrate import migrate
from app.core.tls import client_context
from app.http.readiness import ping_cache, ping_database
from app.run.waiting import wait_for

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from app.core.settings import AppSettings


async def prepare(settings: AppSettings) -> None:
    """Wait for the database and the cache, which start beside the app, and migrate."""
    try:
        # The cache is closed outside of the group: a client whose closing is cancelled leaves its connections open.
        async with cache_for(settings) as cache, asyncio.TaskGroup() as group:
            group.create_task(_database(settings))
            group.create_task(_answers(cache, settings))
    except* ServiceError as errors:
        raise ServiceError("; ".join(str(error) for error in errors.exceptions)) from None


async def _answers(cache: Redis, settings: AppSettings) -> None:
    what = f"Redis at {settings.redis_host}:{settings.redis_port}"
    await wait_for(what, lambda: ping_cache(cache), timeout=settings.startup_timeout)


async def _database(settings: AppSettings) -> None:
    what = f"PostgreSQL at {settings.database_host}:{settings.database_port}"
    engine = engine_for(settings, client_context(settings.tls_ca_file), poolclass=NullPool)
    await wait_for(what, lambda: ping_database(engine), timeout=settings.startup_timeout)
    try:
        await migrate(engine, lock_timeout=settings.startup_timeout)
    except (OSError, DBAPIError) as error:
        if not (failure := explain(error)).expected:
            raise
        raise ServiceError(f"Cannot migrate {what}: {failure.reason}") from error
