"""One change of an environment at a time: commands that come second wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from cli.core.errors import UserError

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
    lock = FileLock(folder / f"{stack}.lock", is_singleton=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"Another command is changing {stack}; waiting for it.")
        _wait(lock, stack, patience)
    try:
        yield
    finally:
        lock.release()


def _wait(lock: FileLock, stack: str, patience: float) -> None:
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        raise UserError(
            f"{stack} is still being changed by another command.",
            cause=f"It has not finished within {patience / 60:.0f} minutes.",
            remedy="Look for a `dashtam` process that hangs, and end it.",
        ) from None
