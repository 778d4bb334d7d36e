"""Runs Alembic's migrations over a connection."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from app.core.revision import MIGRATIONS


def alembic_config(connection: Connection | None = None) -> Config:
    """Point Alembic at the migrations beside this module."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def upgrade(connection: Connection) -> None:
    """Migrate to the newest revision."""
    command.upgrade(alembic_config(connection), "head")
