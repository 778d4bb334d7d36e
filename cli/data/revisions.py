"""Whether this checkout's service can serve a database: it can't migrate one of a newer version or another branch."""

from __future__ import annotations

from collections.abc import Callable

from app.core.revision import revisions
from cli.core.errors import UserError

_IS_MIGRATED = "SELECT to_regclass('alembic_version') IS NOT NULL"
_REVISION = "SELECT version_num FROM alembic_version"


def require_known(query: Callable[[str], str], origin: str) -> None:
    """Make sure, by a function that runs SQL in a database, that its revision is known; the origin is for messages."""
    revision = query(_REVISION) if query(_IS_MIGRATED) == "t" else ""
    if revision and revision not in revisions():
        raise UserError(
            f"The database of {origin} is of another version of the service; nothing was changed.",
            cause=f"It is at revision {revision}, which this checkout doesn't have.",
            remedy="Check out the branch or version that it was made with, or a newer version.",
        )
