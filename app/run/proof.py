"""Proves that the service can serve a database: `python -m app.run.proof NAME`, while the app serves its own.

The database is brought to the newest revision, and must have every table and column that the service reads.
"""

from __future__ import annotations

import asyncio
import sys

from alembic.util import CommandError
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.core.errors import ServiceError
from app.core.migrate import migrate
from app.core.models import Base
from app.run.command import environment


async def prove(name: str) -> None:
    """Migrate a database on this environment's server and look for all columns; a `ServiceError` says what fails."""
    async with environment(database_name=name) as (settings, engine):
        try:
            await migrate(engine, lock_timeout=settings.startup_timeout)
            async with engine.connect() as connection:
                for table in Base.metadata.sorted_tables:
                    await connection.execute(select(table).limit(0))
        except (OSError, SQLAlchemyError, CommandError) as error:
            raise ServiceError(_reason(error)) from error


def _reason(error: Exception) -> str:
    # SQLAlchemy's own text repeats the statement, and its driver's the name of a class.
    cause = (error.orig and error.orig.__cause__) or error.orig or error if isinstance(error, DBAPIError) else error
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__


if __name__ == "__main__":
    try:
        asyncio.run(prove(sys.argv[1]))
    except ServiceError as error:
        sys.exit(f"The database can't be served: {error}")
