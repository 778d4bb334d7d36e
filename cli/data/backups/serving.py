"""Whether the service can serve a restored database: asked before it takes the place of another, and after that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import docker
from docker.errors import APIError

from cli.core.errors import UserError
from cli.core.wait import until
from cli.data.backups import database_swap as swapping
from cli.data.database import Database
from cli.engine import health
from cli.engine.container import ContainerView
from cli.environments.handle import Target

PROOF = ("python", "-m", "app.run.proof")

LAST_LINES = 10


def prove(target: Target, app: ContainerView, fresh: Database, name: str) -> None:
    """Migrate a restored database and read its tables as the service does, while that goes on with its own.

    Args:
        target: The environment.
        app: Its app's container.
        fresh: What was restored, beside the database that there is.
        name: The backup's name, for messages.

    Raises:
        UserError: The service can't serve it.
    """
    status, said = target.view.execute(app.id, (*PROOF, fresh.name))
    if status == 0:
        return
    if "No module named" in said:
        raise UserError(
            f"The app of {target.environment} is of another version; nothing was changed.",
            cause=said.strip().splitlines()[-1],
            remedy=f"Run `./dashtam up {target.environment}`, and the same command again.",
        )
    raise UserError(
        f"The service can't serve the database in {name}; nothing was changed.",
        cause="\n".join(said.strip().splitlines()[-LAST_LINES:]),
        remedy="Restore a backup of this version of the service or of an older one.",
    )


def replace(client: docker.DockerClient, target: Target, app: ContainerView, database: Database, name: str) -> None:
    """Put what was restored in the place of a database for good if the service is healthy then; else put that back.

    Args:
        client: The engine.
        target: The environment.
        app: Its app's container.
        database: The database that there is.
        name: The backup's name, for messages.

    Raises:
        UserError: The database can't be replaced, or the service isn't healthy with the new one.
    """
    with stopped(client, app):
        swapping.swap(database)
    if is_healthy(target):
        swapping.drop(database, swapping.replaced(database))
        return
    said = target.view.last_lines(app.id, LAST_LINES)
    with stopped(client, app):
        swapping.swap_back(database)
    is_well = is_healthy(target)
    raise UserError(
        f"The app of {target.environment} didn't become healthy with {name}; the database from before is back.",
        cause="\n".join(said),
        remedy="Restore another backup." if is_well else f"Run `./dashtam up {target.environment}`.",
    )


@contextmanager
def stopped(client: docker.DockerClient, app: ContainerView) -> Iterator[None]:
    """Stop the app meanwhile; it starts again whatever happens."""
    try:
        client.api.stop(app.id)
        yield
    finally:
        client.api.start(app.id)


def is_healthy(target: Target) -> bool:
    """Wait until the app is healthy or has failed; return which. One that was stopped is started."""
    found = target.service("app")
    if found.state in {"created", "exited"}:
        with suppress(APIError):
            target.view.start(found.id)

    def is_decided() -> bool:
        nonlocal found
        found = target.service("app")
        return found.is_fine or found.has_failed

    until(is_decided, health.SECONDS)
    return found.is_fine
