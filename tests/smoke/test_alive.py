"""Whether the environment is alive: one question to each of its services."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import asyncpg  # type: ignore[import-untyped]
from redis import Redis

from tests.conftest import unavailable

if TYPE_CHECKING:
    from tests.conftest import Endpoints


def answer(url: str, endpoints: Endpoints) -> Any:  # noqa: ANN401 - whatever JSON holds
    with urlopen(url, context=endpoints.tls(), timeout=10) as response:  # noqa: S310 - https, from the outputs
        return json.load(response)


def test_the_app_is_alive(endpoints: Endpoints) -> None:
    assert answer(f"{endpoints.app_url}/health", endpoints) == {"status": "ok"}


def test_the_app_is_ready(endpoints: Endpoints) -> None:
    assert answer(f"{endpoints.app_url}/ready", endpoints)["status"] == "ready"


def test_the_callback_is_alive(endpoints: Endpoints) -> None:
    assert answer(f"{endpoints.callback_url}/health", endpoints) == {"status": "ok"}


async def test_the_database_is_migrated(endpoints: Endpoints) -> None:
    if not endpoints.database_dsn:
        unavailable("PostgreSQL is not published: what /ready says of it is all that can be seen here")
    connection = await asyncpg.connect(endpoints.database_dsn, ssl=endpoints.tls(), timeout=10)
    try:
        assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
    finally:
        await connection.close()


def test_the_cache_answers(endpoints: Endpoints) -> None:
    if not endpoints.redis_dsn:
        unavailable("Redis is not published: what /ready says of it is all that can be seen here")
    with Redis.from_url(endpoints.redis_dsn, ssl_ca_certs=str(endpoints.ca_file), socket_timeout=10) as cache:
        assert cache.ping() is True
