"""Credentials in URLs, such as a proxy's or a mirror's, left out of whatever is printed."""

from __future__ import annotations

import re

_CREDENTIALS = re.compile(r"(?<=://)(?!(?<=ssh://)[^\s/:@]+@)[^\s/'\"]+(?=@)")


def without_credentials(text: str) -> str:
    """Return a text in which no URL has a user or a password; a user of SSH alone is no secret."""
    return _CREDENTIALS.sub("***", text)
