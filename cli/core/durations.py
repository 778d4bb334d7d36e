"""Durations as people write them: `90s`, `10m`, `1h30m`."""

from __future__ import annotations

import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_DURATION = re.compile(f"(?:{_PART.pattern})+")


def seconds(text: str) -> float:
    """Return the seconds of a duration; the ValueError for another text has the format."""
    if not _DURATION.fullmatch(text):
        raise ValueError("a duration is a number with the unit ms, s, m, h or d; write 90s, 5m or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
