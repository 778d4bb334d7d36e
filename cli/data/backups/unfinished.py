"""Ends a restore of a backup that was interrupted: what was restored stays if the service is healthy with it."""

from __future__ import annotations

from contextlib import suppress

import docker

from cli.core.errors import UserError
from cli.data import database as databases
from cli.data.backups import serving, swapping
from cli.engine.inventory import EngineView
from cli.engine.streams import CommandError
from cli.environments.clone import Clone
from cli.environments.handle import Target
from cli.ui.console import err


def settle(client: docker.DockerClient, clone: Clone, stack: str) -> bool:
    """End a restore that was interrupted. To be called while no other command can change the environment.

    Args:
        client: The engine.
        clone: This clone.
        stack: The environment.

    Returns:
        Whether it is over; else the server or the app isn't there to tell, and both databases stay.
    """
    target = Target(stack, clone, EngineView(client))
    states = {one.component: one.state for one in target.services()}
    if states.get("postgres") != "running" or "app" not in states:
        return False
    try:
        database = databases.of(client, target)
    except UserError:
        return False
    found = swapping.left(database)
    if swapping.replaced(database) in found:
        _decide(client, target, database)
    elif found:
        # Where that fails, so does the next restore, which tells why.
        with suppress(CommandError):
            swapping.drop(database, swapping.restoring(database))
    return True


def _decide(client: docker.DockerClient, target: Target, database: databases.Database) -> None:
    stack = target.environment
    if serving.is_healthy(target):
        swapping.drop(database, swapping.replaced(database))
        err.print(f"A restore of {stack} was interrupted; it is finished now.", highlight=False)
        return
    swapping.drop(database, swapping.restoring(database))
    with serving.stopped(client, target.service("app")):
        swapping.swap_back(database)
    err.print(
        f"A restore of {stack} was interrupted, and the app is not healthy with the restored database: the one from"
        f" before is back. The restored one is called {swapping.restoring(database)} until the next restore.",
        highlight=False,
    )
