"""Speed where data is forgotten, durability where it is kept: as the servers say, not as the config does."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg  # type: ignore[import-untyped]
import pytest
import redis

from tests.system.environments import Environment, is_up
from tests.system.running import wait_until

SPEED = {
    "synchronous_commit": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "random_page_cost": "1",
    "shared_buffers": "256MB",
    "effective_cache_size": "512MB",
    "maintenance_work_mem": "128MB",
    "wal_buffers": "16MB",
    "max_connections": "100",
}
DURABLE = {"synchronous_commit": "on", "fsync": "on", "full_page_writes": "on", "wal_level": "replica"}
DATA = {"postgres": "/var/lib/postgresql/data", "redis": "/data"}


@pytest.mark.parametrize(("part", "settings"), [("test", SPEED), ("further", DURABLE)])
async def test_postgres_is_tuned(every: dict[str, Environment], part: str, settings: dict[str, str]) -> None:
    async with _postgres(every[part]) as connection:
        assert {name: await connection.fetchval(f"SHOW {name}") for name in settings} == settings


def test_ci_is_tuned_like_test(under_test: Environment, ci: Environment) -> None:
    assert ci.inspect("postgres")["Config"]["Cmd"] == under_test.inspect("postgres")["Config"]["Cmd"]


@pytest.mark.parametrize(("part", "appends"), [("test", 0), ("further", 1)])
def test_redis_persists_where_data_is_kept(every: dict[str, Environment], part: str, appends: int) -> None:
    with _redis(every[part]) as client:
        assert client.info("persistence")["aof_enabled"] == appends


@pytest.mark.parametrize("service", DATA)
@pytest.mark.parametrize(("part", "in_memory"), [("test", True), ("ci", True), ("further", False)])
def test_data_is_where_the_config_says(every: dict[str, Environment], part: str, service: str, in_memory: bool) -> None:
    environment = every[part]
    status, mounts = environment.execute(service, "cat", "/proc/mounts")
    assert status == 0
    [kind] = [line.split()[2] for line in mounts.splitlines() if line.split()[1] == DATA[service]]
    named = {mount["Destination"]: mount.get("Name") for mount in environment.inspect(service)["Mounts"]}
    assert (kind == "tmpfs") is in_memory
    assert named.get(DATA[service]) == (None if in_memory else environment.outputs.volumes[service])


async def test_data_outlives_a_restart(further: Environment) -> None:
    written = secrets.token_hex()
    async with _postgres(further) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS kept_by_restarts (value text)")
        await connection.execute("INSERT INTO kept_by_restarts VALUES ($1)", written)
    with _redis(further) as client:
        client.set("kept", written)
    for service in DATA:
        further.container(service).restart()
    wait_until(lambda: is_up(further.client, further.name), "all services healthy after a restart")
    async with _postgres(further) as connection:
        assert await connection.fetchval("SELECT count(*) FROM kept_by_restarts WHERE value = $1", written) == 1
    with _redis(further) as client:
        assert client.get("kept") == written.encode()


@asynccontextmanager
async def _postgres(environment: Environment) -> AsyncIterator[asyncpg.Connection]:
    outputs = environment.outputs
    assert outputs.database_dsn
    dsn = urlunsplit(urlsplit(outputs.database_dsn.get_secret_value())._replace(query=""))
    connection = await asyncpg.connect(dsn, ssl=ssl.create_default_context(cadata=outputs.ca_certificate))
    try:
        yield connection
    finally:
        await connection.close()


def _redis(environment: Environment) -> redis.Redis:
    outputs = environment.outputs
    assert outputs.redis_dsn
    return redis.Redis.from_url(outputs.redis_dsn.get_secret_value(), ssl_ca_data=outputs.ca_certificate)
