"""Waits for what must come true."""

from __future__ import annotations

import time
from collections.abc import Callable

POLL_SECONDS = 0.2


def until(condition: Callable[[], bool], seconds: float, every: float | None = None) -> bool:
    """Wait until a condition holds.

    Args:
        condition: Asked again and again.
        seconds: How long to wait at most.
        every: How many seconds later it is asked again; `POLL_SECONDS` if left out.

    Returns:
        Whether it holds.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS if every is None else every)
    return True
