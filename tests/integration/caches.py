"""A Redis database of a worker's own."""

from __future__ import annotations

import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from app.core.cache import create_cache

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis.asyncio import Redis

    from app.core.settings import AppSettings

NUMBERS = range(15, -1, -1)
"""Redis has 16 databases."""

HELD_SECONDS = 3600
"""After which a place that a killed worker held is free again."""


@asynccontextmanager
async def cache_of_its_own(settings: AppSettings) -> AsyncIterator[tuple[AppSettings, Redis]]:
    """Take a database that no other worker has.

    Args:
        settings: Lead to the environment's own, in which the places are noted.

    Yields:
        Settings that lead to it, and a client of it.
    """
    async with create_cache(settings) as shared:
        holder = uuid.uuid4().hex
        number = await _take(shared, holder, [number for number in NUMBERS if number != settings.redis_db])
        own = settings.model_copy(update={"redis_db": number})
        async with create_cache(own) as cache:
            yield own, cache
            await clear(cache)
        if await shared.get(_place(number)) == holder.encode():
            await shared.delete(_place(number))


async def clear(cache: Redis) -> None:
    """Delete every key of a database, which its user may not flush."""
    if names := await cache.keys("*"):
        await cache.delete(*names)


async def _take(shared: Redis, holder: str, numbers: list[int]) -> int:
    for number in numbers:
        if await shared.set(_place(number), holder, nx=True, ex=HELD_SECONDS):
            return number
    raise RuntimeError("every Redis database is taken by other test runs")


def _place(number: int) -> str:
    return f"tests:database:{number}"
