"""Limits on how often a route is used, counted in Redis for all processes together."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

import structlog
from fastapi import HTTPException, Request
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.core.dependency_errors import explain
from app.http.sessions import SessionDep

WINDOW = 60
"""Seconds that are counted together."""

PEOPLE = 10
"""How many people one address may stand for: a session is free to make, so the address is limited too."""

log = structlog.get_logger(__name__)


def limit(name: str, *, per_minute: int) -> Callable[[Request, SessionDep], Awaitable[None]]:
    """Make a dependency that limits a route to `per_minute` uses by a session, and ten times as many by an address.

    Routes of the same name are counted together. It refuses with 429, and with 503 if it can't count.
    """

    async def check(request: Request, session: SessionDep) -> None:
        limits = {f"session:{session.id}": per_minute, _address(request): per_minute * PEOPLE}
        await _require(request.state.cache, name, limits)

    return check


async def count_failure(request: Request, name: str, *, per_minute: int) -> None:
    """Count a request without a session that failed; raise like `limit` if its address failed too often."""
    await _require(request.state.cache, name, {_address(request): per_minute})


def _address(request: Request) -> str:
    return f"address:{request.client.host if request.client else 'unknown'}"


async def _require(cache: Redis, name: str, limits: Mapping[str, int]) -> None:
    window = int(time.time()) // WINDOW
    # The cache holds neither sessions nor addresses in clear.
    digests = [hashlib.sha256(client.encode()).hexdigest()[:32] for client in limits]
    counts = await _count(cache, [f"dashtam:rate:{name}:{digest}:{window}" for digest in digests])
    if any(count > allowed for count, allowed in zip(counts, limits.values(), strict=True)):
        seconds = max(1, (window + 1) * WINDOW - int(time.time()))
        detail = f"This was tried too often. Try again in {seconds} s."
        raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, detail, {"Retry-After": str(seconds)})


async def _count(cache: Redis, keys: list[str]) -> list[int]:
    try:
        async with cache.pipeline(transaction=True) as pipeline:
            for key in keys:
                pipeline.incr(key)
                pipeline.expire(key, WINDOW)
            results = await pipeline.execute()
    except (RedisError, OSError) as error:
        log.warning("Requests cannot be counted", reason=explain(error).reason)
        retry = {"Retry-After": "10"}
        detail = "Dashtam can't reach its cache. Try again in a moment."
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, detail, retry) from error
    return [int(count) for count in results[::2]]
