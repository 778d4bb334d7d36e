"""Alembic's environment: migrates over the connection that it is given."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from app.core.models import Base


def run_migrations(connection: Connection) -> None:
    """Migrate, all steps in one transaction."""
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()


run_migrations(context.config.attributes["connection"])
