"""Decides whether a restored database stays: the service must read it before the swap, and be healthy with it after."""

from __future__ import annotations

from contextlib import suppress

from cli.core.errors import UserError
from cli.data import database as databases
from cli.data.backups import database_swap
from cli.data.database import Database, literal
from cli.engine import health
from cli.engine.container import ContainerView
from cli.engine.streams import CommandError
from cli.environments.handle import EnvironmentHandle
from cli.ui.console import announce

PROOF = ("python", "-m", "app.run.proof")

PREPARED = "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"

LAST_LINES = 10

NEEDED = ("postgres", "redis")
"""What the app must reach to be healthy."""


def running_app(environment: EnvironmentHandle) -> ContainerView:
    """Return the app, which judges a restored database; a UserError if it, or what it needs, can't be reached."""
    needed = [environment.running(service) for service in (*NEEDED, "app")]
    for one in needed:
        if not one.is_connected:
            raise UserError(
                f"The {one.component} of {environment.name} can't be reached; nothing was changed.",
                cause=f"Its container {one.name} is in no network.",
                remedy=f"Run `./dashtam up {environment.name}`, and the same command again.",
            )
    return needed[-1]


def require_renamable(environment: EnvironmentHandle, database: Database) -> None:
    """Refuse to replace a database with prepared transactions, which outlast their connections and forbid a rename."""
    found = database.query(PREPARED).splitlines()
    if found:
        raise UserError(
            f"The database of {environment.name} can't be replaced while it has prepared transactions; nothing was"
            " changed.",
            cause=f"There are: {', '.join(found)}.",
            remedy=f"End each with COMMIT PREPARED or ROLLBACK PREPARED: `./dashtam db-shell {environment.name} --"
            f' -c "ROLLBACK PREPARED {literal(found[0])}"`. Then run the same command again.',
        )


def check_by_app(environment: EnvironmentHandle, app: ContainerView, fresh: Database, name: str) -> None:
    """Migrate a restored database and read its tables as the service does, while the service uses the old one."""
    status, output = environment.view.execute(app.id, (*PROOF, fresh.name))
    if status == 0:
        return
    if "No module named" in output:
        raise UserError(
            f"The app of {environment.name} is of another version; nothing was changed.",
            cause=output.strip().splitlines()[-1],
            remedy=f"Run `./dashtam up {environment.name}`, and the same command again.",
        )
    raise UserError(
        f"The service can't serve the database in {name}; nothing was changed.",
        cause="\n".join(output.strip().splitlines()[-LAST_LINES:]),
        remedy="Restore a backup of this version of the service or of an older one.",
    )


def replace(
    environment: EnvironmentHandle, app: ContainerView, database: Database, name: str, look: health.Look | None = None
) -> None:
    """Swap the restored database in; if the service isn't healthy with it, swap the old one back: a UserError."""
    view = environment.view
    database_swap.copy_settings(database)
    began = view.now()
    with view.stopped(app):
        database_swap.swap(database)
    if _becomes_healthy(environment, look):
        _drop_replaced(environment, database)
        return
    failures = view.failures(environment.name, environment.clone.id, began)
    log = view.last_lines((failures or [environment.service("app")])[0].id, LAST_LINES)
    with view.stopped(environment.service("app")):
        database_swap.swap_back(database)
    works_again = _becomes_healthy(environment, look)
    if not works_again:
        raise UserError(
            f"The app of {environment.name} is healthy neither with {name} nor with the database from before, which"
            " is back.",
            cause="\n".join(log),
            remedy=f"Run `./dashtam up {environment.name}`, and the same command again.",
        )
    raise UserError(
        f"The app of {environment.name} didn't become healthy with {name}; the database from before is back.",
        cause="\n".join(log),
        remedy="Restore another backup.",
    )


def finish_replacing(environment: EnvironmentHandle) -> bool:
    """Finish or undo an interrupted restore, under the environment's lock; return whether there is nothing left of it.

    Without an app that can judge the restored database, both databases stay.
    """
    view, stack, owner = environment.view, environment.name, environment.clone.id
    states = {one.component: one.state for one in environment.services()}
    there = {*states, *(one.component for one in view.services(stack, owner))}
    if any(states.get(service) != "running" for service in NEEDED) or "app" not in there:
        return False
    view.resume(stack, owner, "app")
    try:
        database = databases.of(environment)
    except UserError:
        return False
    found = database_swap.left(database)
    if database_swap.replaced(database) in found:
        _keep_what_is_served(environment, database)
    elif found:
        # If that fails, the next restore fails too, and reports why.
        with suppress(CommandError):
            database_swap.drop(database, database_swap.restoring(database))
    return True


def _keep_what_is_served(environment: EnvironmentHandle, database: Database) -> None:
    stack = environment.name
    if _becomes_healthy(environment):
        _drop_replaced(environment, database)
        announce(f"A restore of {stack} was interrupted; it is finished now.")
        return
    with suppress(CommandError):
        database_swap.drop(database, database_swap.restoring(database))
    with environment.view.stopped(environment.service("app")):
        database_swap.swap_back(database)
    announce(
        f"A restore of {stack} was interrupted, and the app is not healthy with the restored database: the one from"
        f" before is back. The restored one is called {database_swap.restoring(database)} until the next restore."
    )


def _drop_replaced(environment: EnvironmentHandle, database: Database) -> None:
    try:
        database_swap.drop(database, database_swap.replaced(database))
    except CommandError as error:
        kept = database_swap.set_aside(database)
        announce(
            f"The restored database of {environment.name} is in place, and the one from before can't be deleted. It"
            f" is called {kept}. PostgreSQL reports: {error.output}"
        )


def _becomes_healthy(environment: EnvironmentHandle, look: health.Look | None = None) -> bool:
    """Wait until the app is healthy, with all of its replicas, or has failed; return which."""
    is_healthy, _ = health.settled(environment.view, environment.name, environment.clone.id, ("app",), look)
    return is_healthy
