"""Alembic's environment: migrates over the connection that it is given, or over its own for `alembic` by hand."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection, NullPool

from app.core.database import create_engine
from app.core.models import Base
from app.core.settings import AppSettings, load


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():  # all steps in one transaction
        context.run_migrations()


async def _run_alone() -> None:
    engine = create_engine(load(AppSettings), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(_run)


if given := context.config.attributes.get("connection"):
    _run(given)
else:
    asyncio.run(_run_alone())
