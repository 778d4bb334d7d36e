"""Runs Alembic's migrations over a connection."""

from __future__ import annotations

import traceback
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, ProgrammingError

from app.core.dependency_errors import explain
from app.core.errors import MigrationError
from app.core.revision import MIGRATIONS, head_revision


def alembic_config(connection: Connection | None = None) -> Config:
    """Point Alembic at the migrations beside this module."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))  # else `%` begins a variable
    return config


def upgrade(connection: Connection) -> None:
    """Migrate to the newest revision."""
    try:
        config = alembic_config(connection)
        _require_one_line(config)
        command.upgrade(config, "head")
    except Exception as error:
        frames = [one for one in traceback.extract_tb(error.__traceback__) if _is_migration(one.filename)]
        # A missing table is no outage here: the migration names it.
        if not frames or (explain(error).expected and not isinstance(error, ProgrammingError)):
            raise
        file = Path(frames[-1].filename)
        statement = " ".join(["", "SQL:", *(error.statement or "").split()]) if isinstance(error, DBAPIError) else ""
        raise MigrationError(
            f"Migration {file.name.partition('_')[0]} ({file}, line {frames[-1].lineno}) failed:"
            f" {database_text(error)}.{statement}"
        ) from error


def database_text(error: Exception) -> str:
    """Return what the database reports, in one line; SQLAlchemy adds the statement, and its driver's class."""
    cause = (error.orig and error.orig.__cause__) or error.orig or error if isinstance(error, DBAPIError) else error
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__


def _require_one_line(config: Config) -> None:
    if (heads := ScriptDirectory.from_config(config).get_heads()) != [head_revision()]:
        raise MigrationError(
            f"The newest migration is {head_revision()} by the names of the files in {MIGRATIONS / 'versions'}, and"
            f" {' and '.join(sorted(heads))} by their `revision` and `down_revision`: let each `revision` begin the"
            " name of its file, and each `down_revision` be the `revision` of the file before"
        )


def _is_migration(file: str) -> bool:
    return Path(file).parent == MIGRATIONS / "versions"
