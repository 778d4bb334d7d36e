"""The database: one engine per process, over verified TLS."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import URL, NullPool, Select, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from app.core.settings import AppSettings
from app.core.tls import client_context

CONNECT_TIMEOUT = 5.0
COMMAND_TIMEOUT = 30.0
POOL_TIMEOUT = 20.0
"""Seconds for a connection, for one statement, and for a free place in the pool."""

PING_AFTER_SECONDS = 0.5
"""Unused for so long, a pooled connection is tried before it is used again, as HikariCP does: trying it each time costs
a read as much as the read itself."""

_READ = {"isolation_level": "AUTOCOMMIT"}

Entity = TypeVar("Entity")
Result = TypeVar("Result")

# A handful of connections: Postgres is set up for 100, shared with tests, shells and migrations.
_POOL: dict[str, object] = {
    "pool_size": 10,
    "max_overflow": 0,  # each would be made and closed for one use, by a TLS handshake and a login
    "pool_timeout": POOL_TIMEOUT,
    "pool_recycle": 1800,
}


def create_engine(settings: AppSettings, **pool: object) -> AsyncEngine:
    """Make an engine, with SQLAlchemy's pool options if the service's don't fit; nothing connects yet.

    Without a pool it is of a program that runs once, such as a migration: a statement may take as long as it takes.
    """
    url = URL.create(
        "postgresql+asyncpg",
        settings.database_user,
        settings.database_password.get_secret_value(),
        settings.database_host,
        settings.database_port,
        settings.database_name,
    )
    engine = create_async_engine(
        url,
        connect_args={
            # A context of its own: what an HTTP client sets in its context (ALPN), PostgreSQL refuses.
            "ssl": client_context(settings.tls_ca_file),
            "timeout": CONNECT_TIMEOUT,
            "command_timeout": None if pool.get("poolclass") is NullPool else COMMAND_TIMEOUT,
            "server_settings": {"application_name": "dashtam"},
        },
        hide_parameters=True,
        **(pool or _POOL),
    )
    _try_unused(engine)
    return engine


@asynccontextmanager
async def connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Yield a connection for single reads; they need no transaction, whose begin and end the server must answer."""
    async with engine.connect() as connection:
        yield await connection.execution_options(**_READ)


async def read(sessions: async_sessionmaker[AsyncSession], statement: Select[Entity]) -> Sequence[Entity]:
    """Return what one SELECT finds, without a transaction."""

    async def run() -> Sequence[Entity]:
        async with sessions() as session:
            await session.connection(execution_options=_READ)
            return (await session.scalars(statement)).all()

    return await repeated(run)


async def repeated(work: Callable[[], Awaitable[Result]]) -> Result:
    """Do what changes nothing, and once more where its connection has ended unnoticed."""
    try:
        return await work()
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
    return await work()


def _try_unused(engine: AsyncEngine) -> None:
    """Have the pool replace a connection that has ended, or that has been unused and doesn't answer."""
    sync = engine.sync_engine

    @event.listens_for(sync, "checkin")
    def note(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(sync, "checkout")
    def check(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:  # noqa: ANN401 - the dialect's
        if connection.driver_connection.is_closed():
            raise DisconnectionError
        if time.monotonic() - record.info.get("used", time.monotonic()) > PING_AFTER_SECONDS:
            try:
                sync.dialect.do_ping(connection)
            except sync.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError from error
