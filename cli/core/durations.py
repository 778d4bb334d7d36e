"""Durations and moments as people write them: `90s`, `10m`, `1h30m`, or a date or time."""

from __future__ import annotations

import re
import time
from datetime import datetime

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_DURATION = re.compile(f"(?:{_PART.pattern})+")


def seconds(text: str) -> float:
    """Return the seconds of a duration; the ValueError for another text has the format."""
    if not _DURATION.fullmatch(text):
        raise ValueError("a duration is a number with the unit ms, s, m, h or d; write 90s, 5m or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def moment(text: str, now: float | None = None) -> float:
    """Return the moment that a text names, in seconds since 1970; a ValueError for another text.

    Args:
        text: A duration, which is how long ago it was; or a date or time of RFC 3339, such as `2026-11-02T08:30:00Z`,
            which is of the local time zone if it names none.
    """
    try:
        ago = seconds(text)
    except ValueError:
        return datetime.fromisoformat(text).timestamp()
    return (time.time() if now is None else now) - ago
