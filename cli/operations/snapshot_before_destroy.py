"""The last snapshot: what an environment keeps, before it is removed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from cli.core.errors import UserError
from cli.core.parallel import each
from cli.data.snapshots import before, parts, swap
from cli.data.snapshots.create import Taken
from cli.data.snapshots.helper import Part
from cli.engine import health
from cli.operations.session import Session
from cli.ui.console import err


@contextmanager
def farewell(session: Session, stack: str, data: Collection[str]) -> Iterator[Taken | None]:
    """Stop what writes, and take a snapshot: so that it holds all there is when the environment goes.

    What ran goes on where the context ends with an error, unless some of it is gone by then. To be called while no
    other command can change the environment.

    Args:
        session: The prepared clone.
        stack: The environment.
        data: The volumes in which it has data.

    Yields:
        The snapshot; None where its database was never made.

    Raises:
        UserError: There can't be a snapshot of all of the data.
    """
    containers = session.engine.containers(stack, session.clone.id)
    running = [one.id for one in containers if one.component in swap.USERS_OF_DATA and one.state == "running"]
    try:
        yield _taken(session, stack, data)
    except BaseException:
        _go_on(session, stack, running)
        raise


def _taken(session: Session, stack: str, data: Collection[str]) -> Taken | None:
    with before.refusal(f"{stack} was not removed"):
        _, naming, found = parts.of(session.client, session.clone, stack)
        _require_all(data, found)
        swap.stop(session.client, naming, list(swap.USERS_OF_DATA))
        taken = before.create_if_any(session.client, session.clone, stack)
    if taken is None:
        return None
    err.print(f"What {stack} keeps is in the snapshot {taken.name}: {taken.path}", highlight=False, markup=False)
    return taken


def _require_all(data: Collection[str], found: Collection[Part]) -> None:
    beyond = sorted({*data} - {one.volume for one in found})
    if beyond:
        raise UserError(
            f"There can be no snapshot of {', '.join(beyond)}.",
            cause="A snapshot holds what is in the volumes that the environment has where it is put now.",
        )


def _go_on(session: Session, stack: str, running: Collection[str]) -> None:
    """Start what ran, if all of it is there still: services that lack another would only be waited for."""
    if running and {one.id for one in session.engine.containers(stack, session.clone.id)} >= set(running):
        each(session.client.api.start, list(running))
        health.settled(session.engine, stack, session.clone.id)
