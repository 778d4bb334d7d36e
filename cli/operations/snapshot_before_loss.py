"""The snapshot that is taken of data before a command replaces it or destroys the environment."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace

from cli.core.errors import UserError
from cli.core.parallel import each
from cli.data.snapshots import volume_swap
from cli.data.snapshots.helper import ROOT, Part, helper
from cli.engine import health
from cli.environments.handle import EnvironmentHandle
from cli.operations import data_parts, take_snapshot
from cli.operations.data_parts import NoPersistentDataError
from cli.operations.take_snapshot import Taken
from cli.ui.console import announce

CONTENT = """
find . -path ./lost+found -prune -o ! -type d ! -size 0 ! -name appendonly.aof.manifest \
    ! -name appendonly.aof.1.base.rdb -print | head -n 1
"""
"""Prints a file of a volume that has data: none in what Redis makes at its first start, before anything is written."""


def has_data(environment: EnvironmentHandle) -> bool:
    """Return whether an environment has data of which there can be a snapshot."""
    try:
        _, found = data_parts.parts_by_config_or_state(environment)
    except NoPersistentDataError:
        return False
    return bool({one.volume for one in found} & environment.own_engine.volumes(environment.clone.id))


def impossible(stack: str, without: str) -> UserError:
    """Return the error of a command that is to take a snapshot of an environment on a Swarm; `without` takes none."""
    return UserError(
        f"Snapshots don't work for {stack}, which is on a Swarm; nothing was changed.",
        cause="A snapshot copies volumes of one engine.",
        remedy=f"Make a backup if its data is needed: `./dashtam backup {stack} FILE`. Then: `{without}`.",
    )


def consequence(*, snapshot: bool) -> str:
    """Return the part of a question that says what becomes of the data that is replaced."""
    if snapshot:
        return "A snapshot of its current data is taken first; what is written after that will be lost."
    return "Its current data will be lost."


def before_replacing(environment: EnvironmentHandle) -> None:
    """Take a snapshot of the data that is about to be replaced, if there is any; a UserError if that fails."""
    if not has_data(environment):
        return
    with _required_for(f"The data of {environment.name} was not replaced"):
        taken = _take_if_any(environment)
    if taken:
        announce(
            f"Snapshot {taken.name} holds the data that is replaced. Restore it with"
            f" `./dashtam snapshot restore {environment.name} {taken.name}`."
        )


@contextmanager
def before_destroying(environment: EnvironmentHandle, data: Collection[str]) -> Iterator[Taken | None]:
    """Stop the services that write, and take a snapshot of all data volumes, under the environment's lock.

    Yields None if no volume has data. If the block fails, the services run again, unless some are removed.
    """
    running = [one.id for one in volume_swap.running_users(environment)]
    try:
        yield _take_of_all(environment, data)
    except BaseException:
        _start_again(environment, running)
        raise


def _take_of_all(environment: EnvironmentHandle, data: Collection[str]) -> Taken | None:
    with _required_for(f"{environment.name} was not removed"):
        _, found = data_parts.parts_by_config_or_state(environment)
        _require_complete(data, found)
        volume_swap.stop(environment)
        taken = _take_if_any(environment, data)
    if taken:
        announce(f"The data of {environment.name} is in the snapshot {taken.name}: {taken.path}")
    return taken


def _require_complete(data: Collection[str], found: Collection[Part]) -> None:
    beyond = sorted({*data} - {one.volume for one in found})
    if beyond:
        raise UserError(
            f"There can be no snapshot of {', '.join(beyond)}.",
            cause="A snapshot holds only the volumes under the names that the environment has now.",
        )


def _start_again(environment: EnvironmentHandle, running: Collection[str]) -> None:
    """Start what ran if all of it still exists: services that lack another would only be waited for."""
    view, stack, owner = environment.view, environment.name, environment.clone.id
    if running and {one.id for one in view.containers(stack, owner)} >= set(running):
        each(environment.client.api.start, list(running))
        health.settled(view, stack, owner)


def _take_if_any(environment: EnvironmentHandle, data: Collection[str] = ()) -> Taken | None:
    """Take a snapshot.

    Returns None if there is no database, and every volume, those of `data` too, is this clone's and empty; else raises.
    Where another environment is on a Swarm, a volume of `data` may be on a node that no snapshot is taken of.
    """
    try:
        return take_snapshot.take(environment)
    except NoPersistentDataError:
        _, found = data_parts.parts_by_config_or_state(environment)
        volumes = environment.own_engine.volumes(environment.clone.id)
        own = [one for one in found if one.volume in volumes]
        empty = {one.volume for one in own if not _has_content(environment, one)}
        if lost := sorted({*data, *(one.volume for one in own)} - empty):
            raise UserError(
                f"There can be no snapshot of the data in {' and '.join(lost)}.",
                cause=f"A snapshot holds a database, and there is none in a volume {found[0].volume} of this clone.",
                remedy=f"`./dashtam up {environment.name}` makes an empty one; then there can be a snapshot.",
            ) from None
        return None


def _has_content(environment: EnvironmentHandle, part: Part) -> bool:
    with helper(environment, replace(part, user=ROOT)) as opened:
        return bool(opened.script(CONTENT))


@contextmanager
def _required_for(not_done: str) -> Iterator[None]:
    """Say, if a snapshot can't be taken, what was not done for that reason."""
    try:
        yield
    except UserError as error:
        raise UserError(
            f"{not_done}, since no snapshot of its data could be taken.",
            cause="\n".join(line for line in (error.message, error.cause) if line),
            remedy=f"{error.remedy} Or run the command with --no-snapshot, which deletes the data for good.".lstrip(),
        ) from None
