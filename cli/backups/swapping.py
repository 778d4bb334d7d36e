"""A database beside another, and then in its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cli import remedies
from cli.database import Database, identifier
from cli.errors import UserError
from cli.streams import CommandError

SWAP_TRIES = 10
MAINTENANCE = "postgres"
"""The database from which others are renamed."""

LEAVE = "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = :'name';"


@contextmanager
def beside(database: Database) -> Iterator[Database]:
    """Make an empty database beside another; what isn't needed goes at the end, whatever happened.

    Args:
        database: The one there is.

    Yields:
        The empty one.

    Raises:
        UserError: None can be made.
    """
    fresh = Database(database.client, database.container, f"{database.name}_restoring")
    _make(database, fresh)
    try:
        yield fresh
    finally:
        # Else the next restore does it.
        with suppress(CommandError):
            _drop(database, fresh.name, _replaced(database))


def swap(database: Database, fresh: Database) -> None:
    """Put a database in the place of another, by one renaming.

    Args:
        database: The one there is, from which all that connect to it are cut off.
        fresh: What was made beside it.

    Raises:
        UserError: It can't be replaced.
    """
    old, new, gone = (identifier(name) for name in (database.name, fresh.name, _replaced(database)))
    for tries in range(SWAP_TRIES):
        try:
            renames = f"ALTER DATABASE {old} RENAME TO {gone}; ALTER DATABASE {new} RENAME TO {old};"
            database.query(f"\\set name {database.name}\n{LEAVE}\n{renames}", database=MAINTENANCE)
        except CommandError as error:
            # Somebody may have come in just then.
            if tries == SWAP_TRIES - 1:
                raise UserError(
                    "The database can't be replaced; nothing was changed.",
                    cause=error.said,
                    remedy="End what connects to it again and again, and run the same command again.",
                ) from None
        else:
            return


def _make(database: Database, fresh: Database) -> None:
    sql = f"CREATE DATABASE {identifier(fresh.name)} TEMPLATE template0"
    try:
        _drop(database, fresh.name, _replaced(database))
        database.query(sql, database=MAINTENANCE, atomic=False)
    except CommandError as error:
        raise UserError(
            f"No database can be made beside {database.name}; nothing was changed.",
            cause=error.said,
            remedy=remedies.known(error.said) or f"`docker logs {database.container}` shows what Postgres says.",
        ) from None


def _replaced(database: Database) -> str:
    return f"{database.name}_replaced"


def _drop(database: Database, *names: str) -> None:
    for name in names:
        sql = f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE)"
        database.query(f"SET client_min_messages = warning;\n{sql};", database=MAINTENANCE, atomic=False)
