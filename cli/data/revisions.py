"""Whether this checkout's service can serve a database: it can't migrate one of a newer version."""

from __future__ import annotations

from collections.abc import Callable

from alembic.script import ScriptDirectory
from alembic.util import CommandError

from app.core.upgrade import alembic_config
from cli.core.errors import UserError

_IS_MIGRATED = "SELECT to_regclass('alembic_version') IS NOT NULL"
_REVISION = "SELECT version_num FROM alembic_version"


def require_known(query: Callable[[str], str], origin: str) -> None:
    """Make sure, by a function that runs SQL in a database, that its revision is known; the origin is for messages."""
    revision = query(_REVISION) if query(_IS_MIGRATED) == "t" else ""
    if revision and not _is_known(revision):
        raise UserError(
            f"The database of {origin} is of a newer version of the service; nothing was changed.",
            cause=f"It is at revision {revision}, which this checkout doesn't have.",
            remedy="Check out the version that it was made with, or a newer one.",
        )


def _is_known(revision: str) -> bool:
    try:
        return ScriptDirectory.from_config(alembic_config()).get_revision(revision) is not None
    except CommandError:
        return False
