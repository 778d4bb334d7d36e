"""Whether the app can serve: its database, its cache, and the database at the newest revision."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel
from sqlalchemy import text

from app.core.dependency_errors import explain
from app.core.migrate import current_revision

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from redis.asyncio import Redis
    from sqlalchemy.ext.asyncio import AsyncEngine

TIMEOUT = 2.0
"""Seconds for one check."""


class Unready(Exception):  # noqa: N818 - an answer rather than a failure
    """A part works but is not as it should be; the text says why, without secrets."""


class Check(BaseModel):
    """State of one part.

    Attributes:
        status: Whether it works.
        reason: Why not.
    """

    status: Literal["ok", "failed"]
    reason: str | None = None


class Readiness(BaseModel):
    """State of all parts.

    Attributes:
        status: Whether all work.
        checks: State of each part.
    """

    status: Literal["ready", "unready"]
    checks: dict[str, Check]


async def assess(parts: Mapping[str, Callable[[], Awaitable[object]]], *, limit: float = TIMEOUT) -> Readiness:
    """Check all parts at the same time."""
    results = await asyncio.gather(*(_check(part, limit) for part in parts.values()))
    checks = dict(zip(parts, results, strict=True))
    ready = all(check.status == "ok" for check in results)
    return Readiness(status="ready" if ready else "unready", checks=checks)


def parts_of(engine: AsyncEngine, cache: Redis, head: str | None) -> dict[str, Callable[[], Awaitable[object]]]:
    """Name the parts that the app needs."""
    return {
        "database": lambda: ping_database(engine),
        "cache": lambda: ping_cache(cache),
        "migrations": lambda: check_revision(engine, head),
    }


async def ping_database(engine: AsyncEngine) -> None:
    """Ask the database for an answer."""
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))


async def ping_cache(cache: Redis) -> None:
    """Ask the cache for an answer."""
    await cache.ping()


async def check_revision(engine: AsyncEngine, head: str | None) -> None:
    """Compare the database's revision with the code's."""
    async with engine.connect() as connection:
        current = await connection.run_sync(current_revision)
    if current != head:
        raise Unready(f"the database is at revision {current or 'none'}, the code needs {head or 'none'}")


async def _check(part: Callable[[], Awaitable[object]], limit: float) -> Check:
    try:
        async with asyncio.timeout(limit):
            await part()
    except Unready as error:
        return Check(status="failed", reason=str(error))
    except Exception as error:
        return Check(status="failed", reason=explain(error).reason)
    return Check(status="ok")
