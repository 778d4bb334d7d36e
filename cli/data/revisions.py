"""Whether the service of this checkout can serve a database: one of a newer version it can't bring back to its own."""

from __future__ import annotations

from collections.abc import Callable

from alembic.script import ScriptDirectory
from alembic.util import CommandError

from app.migrate import alembic_config
from cli.core.errors import UserError

_IS_MIGRATED = "SELECT to_regclass('alembic_version') IS NOT NULL"
_REVISION = "SELECT version_num FROM alembic_version"


def require_known(query: Callable[[str], str], what: str) -> None:
    """Make sure that a database's revision is known.

    Args:
        query: Runs a statement in the database.
        what: Where the database comes from, for the message.

    Raises:
        UserError: It is not.
    """
    revision = query(_REVISION) if query(_IS_MIGRATED) == "t" else ""
    if revision and not _is_known(revision):
        raise UserError(
            f"The database of {what} is of a newer version of the service; nothing was changed.",
            cause=f"It is at revision {revision}, which this checkout doesn't have.",
            remedy="Check out the version that it was made with, or a newer one.",
        )


def _is_known(revision: str) -> bool:
    try:
        return ScriptDirectory.from_config(alembic_config()).get_revision(revision) is not None
    except CommandError:
        return False
