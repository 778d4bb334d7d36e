"""The database: one engine per process, over verified TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

if TYPE_CHECKING:
    import ssl

    from app.core.settings import AppSettings

CONNECT_TIMEOUT = 5.0
COMMAND_TIMEOUT = 30.0
POOL_TIMEOUT = 5.0
"""Seconds for a connection, for one statement, and for a free place in the pool."""


def create_engine(  # noqa: PLR0913 - plain values, each named by the caller
    *,
    host: str,
    port: int,
    name: str,
    user: str,
    password: str,
    tls: ssl.SSLContext,
    **pool: object,
) -> AsyncEngine:
    """Make an engine; nothing connects yet."""
    return create_async_engine(
        URL.create("postgresql+asyncpg", user, password, host, port, name),
        connect_args={
            "ssl": tls,
            "timeout": CONNECT_TIMEOUT,
            "command_timeout": COMMAND_TIMEOUT,
            "server_settings": {"application_name": "dashtam"},
        },
        hide_parameters=True,
        **(pool or _POOL),
    )


# A handful of connections: Postgres is set up for 100, shared with tests, shells and migrations.
_POOL: dict[str, object] = {
    "pool_size": 5,
    "max_overflow": 5,
    "pool_timeout": POOL_TIMEOUT,
    "pool_recycle": 1800,
    "pool_pre_ping": True,
}


def engine_for(settings: AppSettings, tls: ssl.SSLContext, **pool: object) -> AsyncEngine:
    """Bind the settings to an engine."""
    return create_engine(
        host=settings.database_host,
        port=settings.database_port,
        name=settings.database_name,
        user=settings.database_user,
        password=settings.database_password.get_secret_value(),
        tls=tls,
        **pool,
    )
