"""One run at a time, for what two at once would corrupt."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from cli.ui.console import err

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def exclusively(path: Path, what: str) -> Iterator[None]:
    """Let one run at a time do something; the others say that they wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        err.print(f"Another run is {what}; waiting for it.", highlight=False)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
