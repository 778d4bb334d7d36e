"""Alembic's environment: migrates over the connection that it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context

from app.core.models import Base

if TYPE_CHECKING:
    from sqlalchemy import Connection


def run_migrations(connection: Connection) -> None:
    """Migrate, all steps in one transaction."""
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()


run_migrations(context.config.attributes["connection"])
