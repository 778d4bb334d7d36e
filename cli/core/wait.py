"""Waiting for a condition."""

from __future__ import annotations

import time
from collections.abc import Callable

POLL_SECONDS = 0.2


def until(condition: Callable[[], bool], seconds: float, every: float | None = None) -> bool:
    """Wait until a condition holds; return whether it did in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS if every is None else every)
    return True
