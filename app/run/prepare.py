"""Prepares what the app needs before it serves: cache reachable, database reachable and migrated."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from redis.asyncio import Redis
from sqlalchemy import NullPool
from sqlalchemy.exc import DBAPIError

from app.core.cache import create_cache
from app.core.database import create_engine
from app.core.dependency_errors import Failure, explain
from app.core.errors import ServiceError
from app.core.migrate import migrate
from app.core.settings import AppSettings
from app.http.readiness import ping_cache, ping_database

INTERVAL = 0.1
"""Seconds between two attempts."""

ATTEMPT_TIMEOUT = 5.0
"""Seconds given to one attempt."""

log = structlog.get_logger(__name__)


async def prepare(settings: AppSettings) -> None:
    """Wait for the database and the cache, which start beside the app, and migrate."""
    try:
        # The cache is closed outside of the group: a client whose closing is cancelled leaves its connections open.
        async with create_cache(settings) as cache, asyncio.TaskGroup() as group:
            group.create_task(_prepare_database(settings))
            group.create_task(_prepare_cache(cache, settings))
    except* ServiceError as errors:
        first, *others = errors.exceptions
        raise ServiceError("; ".join(map(str, errors.exceptions))) if others else first from None


async def wait_for(what: str, attempt: Callable[[], Awaitable[object]], *, timeout: float) -> None:  # noqa: ASYNC109
    """Repeat an attempt until it succeeds, for `timeout` seconds at most; `what` names the service and its address."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    logged: Failure | None = None
    while (failure := await _try(attempt, min(deadline, loop.time() + ATTEMPT_TIMEOUT))) is not None:
        if failure.permanent:
            raise ServiceError(f"Cannot use {what}: {failure.reason}")
        if loop.time() + INTERVAL >= deadline:
            cut_off = loop.time() >= deadline  # says less than the failure before
            raise ServiceError(f"{what} is not ready after {timeout:g} s: {((cut_off and logged) or failure).reason}")
        if failure != logged:
            log.info(f"Waiting for {what}", reason=failure.reason)
            logged = failure
        await asyncio.sleep(INTERVAL)


async def _prepare_cache(cache: Redis, settings: AppSettings) -> None:
    what = f"Redis at {settings.redis_host}:{settings.redis_port}"
    await wait_for(what, lambda: ping_cache(cache), timeout=settings.startup_timeout)


async def _prepare_database(settings: AppSettings) -> None:
    what = f"PostgreSQL at {settings.database_host}:{settings.database_port}"
    engine = create_engine(settings, poolclass=NullPool)
    await wait_for(what, lambda: ping_database(engine), timeout=settings.startup_timeout)
    try:
        await migrate(engine, lock_timeout=settings.startup_timeout)
    except (OSError, DBAPIError) as error:
        if not (failure := explain(error)).expected:
            raise
        raise ServiceError(f"Cannot migrate {what}: {failure.reason}") from error


async def _try(attempt: Callable[[], Awaitable[object]], deadline: float) -> Failure | None:
    try:
        async with asyncio.timeout_at(deadline):
            await attempt()
    except Exception as error:
        return explain(error)
    return None
