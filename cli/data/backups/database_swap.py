"""Loads a database beside another, and swaps them by renames, which the server does all at once or not at all.

| step | the server has, for the database D | a restore that was killed then |
|---|---|---|
| `beside` | D (old), `restoring` (new, incomplete) | `restoring` is dropped |
| `swap` | D (new), `replaced` (old) | D stays if the service is healthy, else `swap_back` |
| `drop` | D (new) | is done |

`acceptance` does that, and drops `replaced` only once the service is healthy; if it can't be dropped, it is set aside.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from cli.data.database import MAINTENANCE, Database, derived, identifier, literal
from cli.engine.streams import CommandError, explain_failure

SWAP_TRIES = 10

DISCONNECT = "PERFORM pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = {name};"
SUBSCRIPTIONS = "SELECT subname FROM pg_subscription JOIN pg_database d ON subdbid = d.oid WHERE datname = {name}"

# As rows, since the text of a value isn't what ALTER DATABASE reads: some values are lists.
SETTINGS = """
SET LOCAL allow_system_table_mods = on;
INSERT INTO pg_db_role_setting
SELECT new.oid, setrole, setconfig
FROM pg_db_role_setting JOIN pg_database old ON old.oid = setdatabase, pg_database new
WHERE old.datname = {old} AND new.datname = {new};
"""

_REMEDY = "Close the programs that connect to it again and again, and run the same command again."


def restoring(database: Database) -> str:
    """Return the name of a restored database while it is beside another."""
    return derived(database.name, "restoring")


def replaced(database: Database) -> str:
    """Return the name of the old database after the swap."""
    return derived(database.name, "replaced")


def left(database: Database) -> set[str]:
    """Return which of these two exist now."""
    return {restoring(database), replaced(database)} & _names(database)


def _names(database: Database) -> set[str]:
    return set(database.query("SELECT datname FROM pg_database", database=MAINTENANCE).splitlines())


@contextmanager
def beside(database: Database) -> Iterator[Database]:
    """Make an empty database beside another; at the end it is dropped, unless it was swapped in."""
    fresh = replace(database, name=restoring(database))
    with explain_failure(
        f"No database can be made beside {database.name}; nothing was changed.",
        f"`./dashtam logs {database.environment} postgres` shows the cause.",
        database.environment,
    ):
        drop(database, fresh.name)
        fresh.create()
    try:
        yield fresh
    finally:
        # If that fails, the next restore does it.
        with suppress(CommandError):
            drop(database, fresh.name)


def copy_settings(database: Database) -> None:
    """Give the restored database what ALTER DATABASE and ALTER ROLE have set for the old one; no dump holds it."""
    with explain_failure(
        f"The settings of the database {database.name} can't be copied; nothing was changed.",
        f"`./dashtam logs {database.environment} postgres` shows the cause.",
        database.environment,
    ):
        sql = SETTINGS.format(old=literal(database.name), new=literal(restoring(database)))
        database.query(sql, database=MAINTENANCE)


def swap(database: Database) -> None:
    """Put the restored database in the place of the old one, disconnecting all clients."""
    message = f"The database {database.name} can't be renamed; nothing was changed."
    with explain_failure(message, _REMEDY, database.environment):
        _rename(database, (database.name, replaced(database)), (restoring(database), database.name))


def swap_back(database: Database) -> None:
    """Undo `swap`."""
    before = replaced(database)
    message = f"{database.name} is the restored database; the one from before is called {before}."
    with explain_failure(message, _REMEDY, database.environment):
        _rename(database, (database.name, restoring(database)), (before, database.name))


def drop(database: Database, name: str) -> None:
    """Drop a database beside another, if it exists, with its subscriptions; their publishers keep the slots."""
    if name not in _names(database):
        return
    found = database.query(SUBSCRIPTIONS.format(name=literal(name)), database=MAINTENANCE)
    quoted = identifier(name)
    database.query(f"ALTER DATABASE {quoted} IS_TEMPLATE false ALLOW_CONNECTIONS true", database=MAINTENANCE)
    for one in map(identifier, found.splitlines()):
        detach = f"ALTER SUBSCRIPTION {one} DISABLE; ALTER SUBSCRIPTION {one} SET (slot_name = NONE);"
        database.query(f"SET TRANSACTION READ WRITE; {detach} DROP SUBSCRIPTION {one};", database=name)
    database.query(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)", database=MAINTENANCE, atomic=False)


def set_aside(database: Database) -> str:
    """Rename the old database, which can't be dropped, so that no restore takes it for its own; return its name."""
    before, kept = replaced(database), derived(database.name, f"kept_{secrets.token_hex(2)}")
    with suppress(CommandError):
        _rename(database, (before, kept))
        return kept
    return before


def _rename(database: Database, *pairs: tuple[str, str]) -> None:
    disconnect = [DISCONNECT.format(name=literal(old)) for old, _ in pairs]
    renames = [f"ALTER DATABASE {identifier(old)} RENAME TO {identifier(new)};" for old, new in pairs]
    # One statement: of a script that is cut short, the server must not run the first half.
    sql = "\n".join(["DO $swap$BEGIN", *disconnect, *renames, "END$swap$;"])
    for _ in range(SWAP_TRIES - 1):
        # Fails if a client connects between the two.
        with suppress(CommandError):
            database.query(sql, database=MAINTENANCE)
            return
    database.query(sql, database=MAINTENANCE)
