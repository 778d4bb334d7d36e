"""The service's own settings for the environment under test, and databases that a test may spoil."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import NullPool, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import engine_for
from app.settings import AppSettings
from app.tls import client_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.conftest import Endpoints

    EngineFor = Callable[[AppSettings], AsyncEngine]


@pytest.fixture(scope="session")
def settings(endpoints: Endpoints) -> AppSettings:
    """The service's settings, as this process reaches the environment."""
    database, redis = make_url(endpoints.database_dsn), make_url(endpoints.redis_dsn)
    return AppSettings.model_validate(
        {
            "database_host": database.host,
            "database_port": database.port,
            "database_name": database.database,
            "database_user": database.username,
            "database_password": database.password,
            "redis_host": redis.host,
            "redis_port": redis.port,
            "redis_db": int(redis.database or 0),
            "redis_user": redis.username,
            "redis_password": redis.password,
            "secret_key": "k" * 32,
            "oauth_redirect_uri": endpoints.callback_url,
            "startup_timeout": 20,
            "tls_ca_file": endpoints.ca_file,
            "tls_certificate_file": endpoints.ca_file,
            "tls_key_file": endpoints.ca_file,
        }
    )


@pytest.fixture(scope="session")
def engine_of() -> EngineFor:
    """Make an engine whose connections end when they are no longer used."""
    return lambda settings: engine_for(settings, client_context(settings.tls_ca_file), poolclass=NullPool)


@pytest.fixture
async def empty(settings: AppSettings, engine_of: EngineFor) -> AsyncIterator[AppSettings]:
    """Settings that lead to an empty database, which is dropped afterwards."""
    name = f"throwaway_{uuid.uuid4().hex}"
    admin = engine_of(settings).execution_options(isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
        try:
            yield settings.model_copy(update={"database_name": name})
        finally:
            await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def engine(empty: AppSettings, engine_of: EngineFor) -> AsyncEngine:
    """An engine of the empty database."""
    return engine_of(empty)
