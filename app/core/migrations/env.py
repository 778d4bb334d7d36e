"""Alembic's environment: migrates over the connection that it is given."""

from __future__ import annotations

from alembic import context

from app.core.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():  # all steps in one transaction
    context.run_migrations()
