"""Waits for what must come true."""

from __future__ import annotations

import time
from collections.abc import Callable

POLL_SECONDS = 0.2


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until a condition holds.

    Args:
        condition: Asked again and again.
        seconds: How long to wait at most.

    Returns:
        Whether it holds.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
