"""One change of an environment at a time: a second command waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from filelock import Timeout

from cli.core.errors import UserError
from cli.environments.clone import Clone
from cli.ui.file_lock import exclusively

TIMEOUT = 600.0
"""Seconds; more than an update takes."""


@contextmanager
def held(clone: Clone, *stacks: str, timeout: float = TIMEOUT) -> Iterator[None]:
    """Hold some of a clone's environments for this command, or refuse after `timeout` seconds.

    Who holds one may take it again, so that a command which is made of others holds one for all of them.
    """
    with ExitStack() as locks:
        # In one order everywhere, so that two commands never wait for each other.
        for stack in sorted(set(stacks)):
            waiting = f"Another command is changing {stack}; waiting for it."
            try:
                locks.enter_context(exclusively(clone.home / f"{stack}.lock", waiting, timeout))
            except Timeout:
                raise UserError(
                    f"{stack} is still being changed by another command.",
                    cause=f"It has not finished within {timeout / 60:.0f} minutes.",
                    remedy="Look for a `dashtam` process that hangs, and end it.",
                ) from None
        yield
