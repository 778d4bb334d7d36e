"""The last snapshot: what an environment keeps, before it is removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cli import health, placements
from cli.console import err
from cli.errors import UserError
from cli.parallel import each
from cli.session import Session
from cli.snapshots import create, parts, switch
from cli.snapshots.create import Taken
from cli.snapshots.parts import NothingToKeepError
from infra.naming import Naming


@contextmanager
def farewell(session: Session, stack: str) -> Iterator[Taken | None]:
    """Stop what writes, and take a snapshot: so that it holds all there is when the environment goes.

    What ran goes on where the context ends with an error, such as a no to the question.

    Args:
        session: The prepared clone.
        stack: The environment.

    Yields:
        The snapshot; None where there is no data that last.
    """
    naming = placements.naming(session.clone, stack)
    if not _keeps_data(session, naming):
        yield None
        return
    running = switch.stop(session.client, naming, list(switch.USERS_OF_DATA))
    try:
        yield _taken(session, stack)
    except BaseException:
        each(session.client.api.start, running)
        health.settled(session.engine, stack, session.clone.id)
        raise


def _keeps_data(session: Session, naming: Naming) -> bool:
    try:
        _, _, found = parts.of(session.client, session.clone, naming.environment)
    except NothingToKeepError:
        return False
    return any(one.volume in parts.volumes(session.engine, naming) for one in found)


def _taken(session: Session, stack: str) -> Taken | None:
    try:
        taken = create.create(session.client, session.clone, stack)
    except NothingToKeepError:
        return None
    except UserError as error:
        raise UserError(
            f"{stack} was not removed, since no snapshot of its data could be taken.",
            cause="\n".join(line for line in (error.message, error.cause) if line),
            remedy=f"{error.remedy} With --no-snapshot its data goes for good.".lstrip(),
        ) from None
    err.print(f"What {stack} keeps is in the snapshot {taken.name}: {taken.path}", highlight=False, markup=False)
    return taken
