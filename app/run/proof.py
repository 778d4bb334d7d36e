"""Proves that the service can serve a database: `python -m app.run.proof NAME`, while the app serves its own.

The database is brought to the newest revision, and must have every table and column that the service reads.
"""

from __future__ import annotations

import asyncio
import sys

from alembic.util import CommandError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import ServiceError
from app.core.migrate import migrate
from app.core.models import Base
from app.core.upgrade import database_text
from app.run.command import environment


async def verify_database(name: str) -> None:
    """Migrate a database on this environment's server and look for all columns; a `ServiceError` says what fails."""
    async with environment(database_name=name) as (settings, engine):
        try:
            await migrate(engine, lock_timeout=settings.startup_timeout)
            async with engine.connect() as connection:
                for table in Base.metadata.sorted_tables:
                    await connection.execute(select(table).limit(0))
        except (OSError, SQLAlchemyError, CommandError) as error:
            raise ServiceError(database_text(error)) from error


if __name__ == "__main__":
    try:
        asyncio.run(verify_database(sys.argv[1]))
    except ServiceError as error:
        sys.exit(f"The database can't be served: {error}")
