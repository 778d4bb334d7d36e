"""Runs Alembic's migrations over a connection."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from app.core.errors import ServiceError
from app.core.revision import MIGRATIONS, head_revision


def alembic_config(connection: Connection | None = None) -> Config:
    """Point Alembic at the migrations beside this module."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def upgrade(connection: Connection, environment: str) -> None:
    """Migrate to the newest revision; `environment` is for messages."""
    _require_known(connection, environment)
    command.upgrade(alembic_config(connection), "head")


def _require_known(connection: Connection, environment: str) -> None:
    """Refuse a database that another branch's code, or a newer version's, has migrated: this one's can't go on."""
    known = {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}
    unknown = sorted(set(MigrationContext.configure(connection).get_current_heads()) - known)
    if unknown:
        raise ServiceError(
            f"The database is at revision {', '.join(unknown)}, which this checkout doesn't have (its newest is"
            f" {head_revision()}): another branch or a newer version migrated it. Either check out that branch;"
            f" or restore older data, `./dashtam snapshot list {environment}` lists it;"
            f" or delete the data: `./dashtam destroy {environment}`, then `./dashtam up {environment}`"
        )
