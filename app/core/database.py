"""The database: one engine per process, over verified TLS."""

from __future__ import annotations

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.core.settings import AppSettings
from app.core.tls import client_context

CONNECT_TIMEOUT = 5.0
COMMAND_TIMEOUT = 30.0
POOL_TIMEOUT = 20.0
"""Seconds for a connection, for one statement, and for a free place in the pool."""

# A handful of connections: Postgres is set up for 100, shared with tests, shells and migrations.
_POOL: dict[str, object] = {
    "pool_size": 5,
    "max_overflow": 5,
    "pool_timeout": POOL_TIMEOUT,
    "pool_recycle": 1800,
    "pool_pre_ping": True,
}


def create_engine(settings: AppSettings, *, patient: bool = False, **pool: object) -> AsyncEngine:
    """Make an engine, with SQLAlchemy's pool options if the service's don't fit; nothing connects yet.

    With `patient`, a statement may take as long as it takes.
    """
    url = URL.create(
        "postgresql+asyncpg",
        settings.database_user,
        settings.database_password.get_secret_value(),
        settings.database_host,
        settings.database_port,
        settings.database_name,
    )
    return create_async_engine(
        url,
        connect_args={
            # A context of its own: what an HTTP client sets in its context (ALPN), PostgreSQL refuses.
            "ssl": client_context(settings.tls_ca_file),
            "timeout": CONNECT_TIMEOUT,
            "command_timeout": None if patient else COMMAND_TIMEOUT,
            "server_settings": {"application_name": "dashtam"},
        },
        hide_parameters=True,
        **(pool or _POOL),
    )
