"""Moments as people write them: some time ago, or at a time."""

from __future__ import annotations

import time
from datetime import datetime

from cli.core import durations


def parse(text: str, now: float | None = None) -> float:
    """Return the moment that a text names, in seconds since 1970.

    Args:
        text: A duration, which is how long ago it was, such as `90s`, `10m` or `1h30m`; or a date or time of RFC 3339,
            such as `2026-11-02T08:30:00Z`, which is of the local time zone if it names none.
    """
    try:
        ago = durations.seconds(text)
    except ValueError:
        return datetime.fromisoformat(text).timestamp()
    return (time.time() if now is None else now) - ago
