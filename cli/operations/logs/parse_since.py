"""Moments as people write them: some time ago, or at a time."""

from __future__ import annotations

import re
import time
from datetime import datetime

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_DURATION = re.compile(f"(?:{_PART.pattern})+")


def parse(text: str, now: float | None = None) -> float:
    """Return the moment that a text names.

    Args:
        text: A duration, which is how long ago it was, such as `90s`, `10m` or `1h30m`; or a date or time of RFC 3339,
            such as `2026-11-02T08:30:00Z`, which is of the local time zone if it names none.
        now: Seconds since 1970; the present by default.

    Returns:
        Seconds since 1970.

    Raises:
        ValueError: It is neither.
    """
    if _DURATION.fullmatch(text):
        ago = sum(float(count) * _UNITS[unit] for count, unit in _PART.findall(text))
        return (time.time() if now is None else now) - ago
    return datetime.fromisoformat(text).timestamp()
