"""How long a test waits for a clean database: emptied, cloned from a template, or migrated from nothing.

Run it beside a running test environment:

    ./dashtam up test
    eval "$(./dashtam env)"; python -m bench.database_reset --rounds 100

Each round does all three, one after the other, so that what else the machine does falls on all alike.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from app.core.migrate import migrate
from app.core.models import Base, ProviderConnection
from app.core.settings import AppSettings
from app.linking.repository import Repository
from app.providers.grants import Grant
from app.tokens.keys import DataKeys
from app.tokens.vault import MasterKeys, new_key
from tests.conftest import reached, stack_outputs
from tests.integration import databases as making
from tests.integration.databases import Databases
from tests.integration.service_settings import settings_for

ROWS = 20


@asynccontextmanager
async def filled(settings: AppSettings) -> AsyncIterator[AsyncEngine]:
    """Yield an engine that keeps its connections, as a worker of the tests does."""
    engine = making.engine_of(settings, pool_size=5, pool_pre_ping=True)
    try:
        yield engine
    finally:
        await engine.dispose()


async def fill(engine: AsyncEngine) -> None:
    """Link accounts, so that every table has rows."""
    keys = DataKeys(MasterKeys("m1", {"m1": new_key()}))
    repository = Repository(async_sessionmaker(engine, expire_on_commit=False), keys)
    for number in range(ROWS):
        await repository.link(uuid.uuid4(), "sandbox", Grant("access", "refresh", None, ("openid",), str(number)))


async def milliseconds(work: Callable[[], Awaitable[object]]) -> float:
    """Return how long something takes."""
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1000


async def clone_anew(databases: Databases) -> None:
    """Make a clone, connect to it, and drop it."""
    async with databases.clone() as settings:
        await touch(making.engine_of(settings))


async def migrate_anew(databases: Databases) -> None:
    """Make a database, migrate it, connect to it, and drop it."""
    async with databases.empty() as settings:
        engine = making.engine_of(settings)
        await migrate(engine, lock_timeout=making.LOCK_SECONDS)
        await touch(engine)


async def touch(engine: AsyncEngine) -> None:
    """Ask for something, as a test does."""
    async with engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(ProviderConnection)) == 0


async def main(rounds: int, stack: str) -> None:
    """Measure, and print medians and 95th percentiles in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(reached(stack_outputs(stack), Path(folder) / "ca.crt"))
        taken: dict[str, list[float]] = {"emptied": [], "cloned": [], "migrated": []}
        async with making.databases_for(settings) as databases, databases.clone() as kept, filled(kept) as engine:
            await clone_anew(databases)
            for _ in range(rounds):
                await fill(engine)
                taken["emptied"].append(await milliseconds(lambda: making.reset(engine)))
                taken["cloned"].append(await milliseconds(lambda: clone_anew(databases)))
                taken["migrated"].append(await milliseconds(lambda: migrate_anew(databases)))
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    print(f"{rounds} rounds, tables: {tables}; milliseconds")
    for name, values in taken.items():
        print(f"{name:9} median {statistics.median(values):6.1f}  p95 {statistics.quantiles(values, n=20)[-1]:6.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="How long a test waits for a clean database.")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--stack", default="test")
    options = parser.parse_args()
    asyncio.run(main(options.rounds, options.stack))
