from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sqlalchemy import text

from app.core.cache import create_cache
from app.core.database import create_engine

if TYPE_CHECKING:
    from app.core.settings import AppSettings

MANY = 200
"""More at the same time than either pool has places for."""


async def test_all_get_a_place_in_the_caches_pool(settings: AppSettings) -> None:
    async with create_cache(settings) as cache:
        assert all(await asyncio.gather(*(cache.ping() for _ in range(MANY))))


async def test_all_get_a_place_in_the_databases_pool(settings: AppSettings) -> None:
    engine = create_engine(settings)

    async def ask() -> object:
        async with engine.connect() as connection:
            return await connection.scalar(text("SELECT 1"))

    try:
        assert set(await asyncio.gather(*(ask() for _ in range(MANY)))) == {1}
    finally:
        await engine.dispose()
