"""The snapshot that is taken of data before a command replaces or removes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import docker

from cli.core.errors import UserError
from cli.data.snapshots import create, parts
from cli.data.snapshots.create import Taken
from cli.data.snapshots.helper import helper
from cli.data.snapshots.parts import NothingToKeepError
from cli.engine.inventory import EngineView
from cli.environments.clone import Clone
from cli.ui.console import err


def has_data(client: docker.DockerClient, clone: Clone, stack: str) -> bool:
    """Return whether an environment has data of which there can be a snapshot."""
    try:
        _, naming, found = parts.of(client, clone, stack)
    except NothingToKeepError:
        return False
    return found[0].volume in parts.volumes(EngineView(client), naming)


def take(client: docker.DockerClient, clone: Clone, stack: str) -> None:
    """Take a snapshot of an environment before its data is replaced; none where it has no data.

    Raises:
        UserError: It has data, and there can't be a snapshot of it.
    """
    if not has_data(client, clone, stack):
        return
    with refusal(f"The data of {stack} was not replaced"):
        taken = create_if_any(client, clone, stack)
    if taken is None:
        return
    err.print(
        f"Snapshot {taken.name} holds the data that is replaced. It comes back with"
        f" `./dashtam snapshot restore {stack} {taken.name}`.",
        highlight=False,
        markup=False,
    )


def create_if_any(client: docker.DockerClient, clone: Clone, stack: str) -> Taken | None:
    """Take a snapshot of an environment whose volumes are there; None where its database was never made.

    Raises:
        UserError: There is something in its database's volume, of which there can't be a snapshot.
    """
    try:
        return create.create(client, clone, stack)
    except NothingToKeepError:
        _, naming, found = parts.of(client, clone, stack)
        with helper(client, naming, found[0]) as opened:
            if set(opened.script("ls -A").split()) - {"lost+found"}:
                raise
        return None


@contextmanager
def refusal(what: str) -> Iterator[None]:
    """Say of a snapshot that can't be taken what was not done for its lack.

    Args:
        what: What was not done.

    Raises:
        UserError: There can't be a snapshot.
    """
    try:
        yield
    except UserError as error:
        raise UserError(
            f"{what}, since no snapshot of its data could be taken.",
            cause="\n".join(line for line in (error.message, error.cause) if line),
            remedy=f"{error.remedy} With --no-snapshot its data is lost.".lstrip(),
        ) from None


def consequence(*, snapshot: bool) -> str:
    """Return what a question says about the data that is replaced."""
    return "A snapshot of its current data is taken first." if snapshot else "Its current data will be lost."
