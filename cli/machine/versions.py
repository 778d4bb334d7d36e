"""Version numbers as tools print them."""

from __future__ import annotations

import re

Version = tuple[int, int, int]

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


def parse_version(text: str) -> Version | None:
    """Find the first version number in a text."""
    found = _VERSION.search(text)
    if found is None:
        return None
    major, minor, patch = found.groups(default="0")
    return int(major), int(minor), int(patch)


def fits(text: str, *, minimum: str) -> bool:
    """Tell whether a version is the minimum or newer, within the same major version."""
    found, oldest = parse_version(text), parse_version(minimum)
    return found is not None and oldest is not None and found[0] == oldest[0] and found >= oldest
