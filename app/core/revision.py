"""The revision of the database and of the code, without Alembic, which is slow to import and mostly not needed."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, text

MIGRATIONS = Path(__file__).parent / "migrations"


def revisions() -> list[str]:
    """Return the code's revisions, the oldest first; the name of each one's file begins with it."""
    return sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def head_revision() -> str:
    """Return the newest revision."""
    return revisions()[-1]


def current_revisions(connection: Connection) -> list[str]:
    """Return the database's revision, in a list: none if nothing was migrated yet, several after unmerged branches."""
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return []
    return list(connection.scalars(text("SELECT version_num FROM alembic_version ORDER BY version_num")))
