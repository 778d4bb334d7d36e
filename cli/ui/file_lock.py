"""One process at a time, for what two at once would corrupt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from cli.ui.console import announce


@contextmanager
def exclusively(path: Path, waiting: str = "", seconds: float = -1.0) -> Iterator[None]:
    """Hold a file's lock, which the operating system releases when the process ends; announce the wait if `waiting`.

    The same thread may take the same lock again. A lock that isn't free in time raises filelock's Timeout.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Where a file system has no locks, a file that stands for one would outlive a killed command.
    lock = FileLock(path, is_singleton=True, fallback_to_soft=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        if waiting:
            announce(waiting)
        lock.acquire(timeout=seconds)
    except OSError as error:  # of a file system without locks
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        yield
    finally:
        lock.release()
