"""Whether the process is alive, and whether it can serve: its database, its cache, and the newest revision."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.database import connected, repeated
from app.core.dependency_errors import explain
from app.core.errors import ServiceError
from app.core.revision import current_revisions

TIMEOUT = 2.0
"""Seconds for one check."""

Ping = Callable[[], Awaitable[object]]


class Health(BaseModel):
    """The process is alive."""

    status: str = "ok"


class Check(BaseModel):
    """State of one part."""

    status: Literal["ok", "failed"] = Field(description="Whether it works.")
    reason: str | None = Field(None, description="Why not.")


class Readiness(BaseModel):
    """State of all parts."""

    status: Literal["ready", "unready"] = Field(description="Whether all work.")
    checks: dict[str, Check] = Field(description="State of each part.")


router = APIRouter(tags=["health"])
_UNREADY: dict[int | str, dict[str, Any]] = {HTTPStatus.SERVICE_UNAVAILABLE.value: {"model": Readiness}}


@router.get("/health")
async def health() -> Health:
    """Say that the process is alive."""
    return Health()


@router.get("/ready", responses=_UNREADY, response_model_exclude_none=True)
async def ready(request: Request, response: Response) -> Readiness:
    """Say whether the database, the cache and the migrations are as they should be."""
    state = request.state
    parts = {
        "database": lambda: repeated(lambda: ping_database(state.engine)),
        "cache": lambda: ping_cache(state.cache),
        "migrations": lambda: repeated(lambda: check_revision(state.engine, state.head)),
    }
    # However many ask at the same time, one check is in flight, and answers all.
    readiness: Readiness = await state.in_flight.join("readiness", lambda: assess(parts))
    if readiness.status != "ready":
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return readiness


async def assess(parts: Mapping[str, Ping]) -> Readiness:
    """Check all parts at the same time; a check raises if its part does not work."""
    results = await asyncio.gather(*(_check(part) for part in parts.values()))
    checks = dict(zip(parts, results, strict=True))
    ready = all(check.status == "ok" for check in results)
    return Readiness(status="ready" if ready else "unready", checks=checks)


async def ping_database(engine: AsyncEngine) -> None:
    """Run the cheapest query."""
    async with connected(engine) as connection:
        await connection.execute(text("SELECT 1"))


async def ping_cache(cache: Redis) -> None:
    """Send a PING."""
    await cache.ping()


async def check_revision(engine: AsyncEngine, head: str) -> None:
    """Compare the database's revision with `head`, the one that the code needs."""
    async with connected(engine) as connection:
        current = await connection.run_sync(current_revisions)
    if current != [head]:
        raise ServiceError(f"the database is at revision {', '.join(current) or 'none'}, the code needs {head}")


async def _check(part: Ping) -> Check:
    try:
        async with asyncio.timeout(TIMEOUT):
            await part()
    except ServiceError as error:
        return Check(status="failed", reason=str(error))
    except Exception as error:
        return Check(status="failed", reason=explain(error).reason)
    return Check(status="ok")
