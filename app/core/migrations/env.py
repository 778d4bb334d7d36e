"""Alembic's environment: migrates over the connection that it is given, or over its own for `alembic` by hand."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable

from alembic import context
from alembic.operations import MigrationScript
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, NullPool

from app.core.database import create_engine
from app.core.models import Base
from app.core.revision import next_number
from app.core.settings import AppSettings, load


def _number(_context: MigrationContext, _revision: object, scripts: Iterable[MigrationScript]) -> None:
    """Name a new revision by the next number, whatever --rev-id says, and digits that no other branch has."""
    for script in scripts:
        script.rev_id = next_number(context.script.get_current_head()) + secrets.token_hex(3)


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, process_revision_directives=_number)
    with context.begin_transaction():  # all steps in one transaction
        context.run_migrations()


async def _run_alone() -> None:
    engine = create_engine(load(AppSettings), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(_run)


def _needs_files_only() -> bool:
    """Return whether `alembic revision` or `alembic history` is run such that it asks no database."""
    options = context.config.cmd_opts
    if options and hasattr(options, "rev_range"):
        return not (options.indicate_current or "current" in (options.rev_range or ""))
    return getattr(options, "autogenerate", None) is False


if given := context.config.attributes.get("connection"):
    _run(given)
elif _needs_files_only():
    context.configure(dialect_name="postgresql", as_sql=True, process_revision_directives=_number)
    context.run_migrations()
else:
    asyncio.run(_run_alone())
