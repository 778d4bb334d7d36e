"""Databases of a test run's own: a template, migrated once, and clones of it that are emptied before each test.

`python -m bench.database_reset` measures it: with PostgreSQL tuned for speed, in memory, over TLS, on two cores, a test
waits 108 ms for a database migrated anew, 47 for a clone, and 4.6 for a TRUNCATE (medians). So each worker keeps its
clone and its pool. DELETE would leave sequences where they are and know no way through tables that refer to each other;
a rollback would hide what only a commit does.
"""

from __future__ import annotations

import os
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.database import create_engine
from app.core.migrate import migrate
from app.core.models import Base

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.core.settings import AppSettings

LOCK_SECONDS = 30
"""Seconds to wait for another worker that makes the template, and for a table that something left locked."""

_ANY_RUN = "^tests_[0-9a-f]{12}_"


def engine_of(settings: AppSettings, **pool: Any) -> AsyncEngine:  # noqa: ANN401 - options of the library
    """Make an engine; unless told otherwise its connections end when they are no longer used."""
    return create_engine(settings, **(pool or {"poolclass": NullPool}))


@dataclass(frozen=True)
class Databases:
    """Makes and drops databases for one worker.

    Args:
        settings: Lead to the environment's own database, in which nothing is changed.
        connection: To it.
        run: What the names of this run's databases begin with.
    """

    settings: AppSettings
    connection: AsyncConnection
    run: str

    @asynccontextmanager
    async def empty(self) -> AsyncIterator[AppSettings]:
        """Yield settings that lead to an empty database."""
        async with self._database("") as settings:
            yield settings

    @asynccontextmanager
    async def clone(self) -> AsyncIterator[AppSettings]:
        """Yield settings that lead to a migrated database."""
        template = f"{self.run}_template"
        async with self._alone():
            if template not in await self._names(f"^{template}$"):
                await self._make(template)
        async with self._database(f"TEMPLATE {template}") as settings:
            yield settings

    async def sweep(self) -> None:
        """Drop the databases of every run that has no worker any more."""
        async with self._alone():
            for name in await self._names(_ANY_RUN):
                run = "_".join(name.split("_")[:2])
                if await self._lock("pg_try_advisory_lock", run):
                    await self._execute(f"DROP DATABASE {name} WITH (FORCE)")
                    await self._lock("pg_advisory_unlock", run)

    @asynccontextmanager
    async def _database(self, origin: str) -> AsyncIterator[AppSettings]:
        name = f"{self.run}_{uuid.uuid4().hex[:12]}"
        await self._execute(f"CREATE DATABASE {name} {origin}")
        try:
            yield self.settings.model_copy(update={"database_name": name})
        finally:
            await self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def _make(self, template: str) -> None:
        # Its name comes last, so that no other worker clones half of it.
        async with self._database("") as draft:
            await migrate(engine_of(draft), lock_timeout=LOCK_SECONDS)
            await self._execute(f"CREATE DATABASE {template} TEMPLATE {draft.database_name}")

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        await self._lock("pg_advisory_lock", "tests")
        try:
            yield
        finally:
            await self._lock("pg_advisory_unlock", "tests")

    async def _names(self, pattern: str) -> list[str]:
        query = text("SELECT datname FROM pg_database WHERE datname ~ :pattern")
        return list((await self.connection.scalars(query, {"pattern": pattern})).all())

    async def _lock(self, function: str, name: str) -> bool:
        return bool(await self.connection.scalar(text(f"SELECT {function}(hashtext(:name))"), {"name": name}))

    async def _execute(self, statement: str) -> None:
        await self.connection.execute(text(statement))


@asynccontextmanager
async def databases_for(settings: AppSettings) -> AsyncIterator[Databases]:
    """Hold a place in this run, and drop what the last of its workers leaves, or a run that was killed.

    Args:
        settings: Lead to the environment's own database.

    Yields:
        What makes databases.
    """
    # xdist gives all workers of a run the same id.
    run = f"tests_{os.environ.get('PYTEST_XDIST_TESTRUNUID', uuid.uuid4().hex)[:12]}"
    engine = engine_of(settings).execution_options(isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        databases = Databases(settings, connection, run)
        await connection.execute(text(f"SET lock_timeout = '{LOCK_SECONDS}s'"))
        # The lock goes with the connection, even if this process is killed: it tells that the run is under way.
        await connection.execute(text("SELECT pg_advisory_lock_shared(hashtext(:run))"), {"run": run})
        try:
            yield databases
        finally:
            await connection.execute(text("SELECT pg_advisory_unlock_shared(hashtext(:run))"), {"run": run})
            await databases.sweep()


async def reset(engine: AsyncEngine) -> None:
    """Empty every table and start its sequences anew.

    Args:
        engine: To a migrated database.

    Raises:
        sqlalchemy.exc.DBAPIError: Something left a table locked.
    """
    tables = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
    async with engine.begin() as connection:
        await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
        await connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))


async def end_connections(engine: AsyncEngine) -> None:
    """End all other connections to a database, as its restart does, and wait until they are gone."""
    ended = text(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    async with engine.connect() as connection:
        await connection.execute(ended)
