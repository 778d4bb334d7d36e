"""The revision of the database and of the code, without Alembic, which is slow to import and mostly not needed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from sqlalchemy import Connection, text

from app.core.errors import MigrationError

DIGITS = 4
"""How many digits the number has that a revision begins with; since 0005, random ones follow, see env.py."""

MIGRATIONS = Path(__file__).parent / "migrations"


def revisions() -> list[str]:
    """Return the code's revisions, the oldest first; the name of each one's file begins with it."""
    return sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def head_revision() -> str:
    """Return the newest revision; two of the same number, as a merge of branches makes, are a `MigrationError`."""
    found = revisions()
    for one, other in pairwise(found):
        if one[:DIGITS] == other[:DIGITS]:
            raise MigrationError(
                f"The migrations {one} and {other} have the same number. Put the newer one last: replace its number"
                f" with {next_number(found[-1])} in the name of its file and in its `revision`, and set its"
                " `down_revision` to the migration that is then before it"
            )
    return found[-1]


def next_number(revision: str | None) -> str:
    """Return what a revision after this one begins with."""
    return f"{int((revision or '0')[:DIGITS]) + 1:0{DIGITS}}"


def current_revisions(connection: Connection) -> list[str]:
    """Return the database's revision, in a list: none if nothing was migrated yet, several after unmerged branches."""
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return []
    return list(connection.scalars(text("SELECT version_num FROM alembic_version ORDER BY version_num")))
