"""A database beside another, in its place, and back again: by renames, which the server does all at once or not at all.

While a restore is under way there may be two more databases: what is being restored, and what was replaced by it. The
latter is dropped only once the service is healthy on what was restored.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cli.core import remedies
from cli.core.errors import UserError
from cli.data.database import Database, derived, identifier, literal
from cli.engine.streams import CommandError

SWAP_TRIES = 10
MAINTENANCE = "postgres"
"""The database from which others are renamed."""

LEAVE = "PERFORM pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = {name};"


def restoring(database: Database) -> str:
    """Return the name of what is restored while it is beside a database."""
    return derived(database.name, "restoring")


def replaced(database: Database) -> str:
    """Return the name of what a restored database has replaced."""
    return derived(database.name, "replaced")


def left(database: Database) -> set[str]:
    """Return which of these two there are now."""
    names = {restoring(database), replaced(database)}
    return names & set(database.query("SELECT datname FROM pg_database", database=MAINTENANCE).splitlines())


@contextmanager
def beside(database: Database) -> Iterator[Database]:
    """Make an empty database beside another; where it doesn't take its place, it is dropped at the end.

    Args:
        database: The one there is.

    Yields:
        The empty one.

    Raises:
        UserError: None can be made.
    """
    fresh = Database(database.client, database.container, restoring(database))
    _make(database, fresh)
    try:
        yield fresh
    finally:
        # Else the next restore does it.
        with suppress(CommandError):
            drop(database, fresh.name)


def swap(database: Database) -> None:
    """Put what was restored in the place of a database, which is kept under another name.

    Args:
        database: The one there is, from which all that connect to it are cut off.

    Raises:
        UserError: It can't be replaced.
    """
    _rename(database, (database.name, replaced(database)), (restoring(database), database.name))


def swap_back(database: Database) -> None:
    """Put what was replaced in its place again; what had replaced it is beside it again.

    Args:
        database: The restored one.

    Raises:
        UserError: It can't be put back.
    """
    _rename(database, (database.name, restoring(database)), (replaced(database), database.name))


def drop(database: Database, name: str) -> None:
    """Drop a database beside another, if there is one of that name.

    Args:
        database: The other.
        name: `restoring` or `replaced`.
    """
    sql = f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE)"
    database.query(f"SET client_min_messages = warning;\n{sql};", database=MAINTENANCE, atomic=False)


def _rename(database: Database, *pairs: tuple[str, str]) -> None:
    leave = [LEAVE.format(name=literal(old)) for old, _ in pairs]
    renames = [f"ALTER DATABASE {identifier(old)} RENAME TO {identifier(new)};" for old, new in pairs]
    # One statement: of a script that is cut short, the server must not do the first half.
    sql = "\n".join(["DO $swap$BEGIN", *leave, *renames, "END$swap$;"])
    for tries in range(SWAP_TRIES):
        try:
            database.query(sql, database=MAINTENANCE)
        except CommandError as error:
            # Somebody may have come in just then.
            if tries == SWAP_TRIES - 1:
                raise UserError(
                    f"The database {database.name} can't be renamed; nothing was changed.",
                    cause=error.said,
                    remedy="Close the programs that connect to it again and again, and run the same command again.",
                ) from None
        else:
            return


def _make(database: Database, fresh: Database) -> None:
    sql = f"CREATE DATABASE {identifier(fresh.name)} TEMPLATE template0"
    try:
        drop(database, fresh.name)
        database.query(sql, database=MAINTENANCE, atomic=False)
    except CommandError as error:
        raise UserError(
            f"No database can be made beside {database.name}; nothing was changed.",
            cause=error.said,
            remedy=remedies.known(error.said) or f"`docker logs {database.container}` shows what Postgres says.",
        ) from None
