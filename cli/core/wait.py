"""Waits for what must come true."""

from __future__ import annotations

import time
from collections.abc import Callable

POLL_SECONDS = 0.2


def until(condition: Callable[[], bool], seconds: float, every: float | None = None) -> bool:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS if every is None else every)
    return True
