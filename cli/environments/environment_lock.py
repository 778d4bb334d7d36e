"""One change of an environment at a time: commands that come second wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import Timeout

from cli.core.errors import UserError
from cli.core.file_lock import exclusively

PATIENCE = 600.0
"""Seconds; more than an update takes."""


@contextmanager
def turn(folder: Path, stack: str, say: Callable[[str], None], patience: float = PATIENCE) -> Iterator[None]:
    """Hold an environment for oneself.

    The operating system gives the lock back when its holder ends, however it ends. Who holds it may ask again: a
    command that is made of others has one turn for all.

    Args:
        folder: Where this clone keeps its state.
        stack: The environment.
        say: Told if it has to wait.
        patience: How long it waits at most, in seconds.

    Yields:
        While no other command of this clone changes the environment.

    Raises:
        UserError: The other command doesn't end.
    """
    waiting = f"Another command is changing {stack}; waiting for it."
    try:
        with exclusively(folder / f"{stack}.lock", waiting, say, patience):
            yield
    except Timeout:
        raise UserError(
            f"{stack} is still being changed by another command.",
            cause=f"It has not finished within {patience / 60:.0f} minutes.",
            remedy="Look for a `dashtam` process that hangs, and end it.",
        ) from None
