"""When a certificate is about to end."""

from __future__ import annotations

SOON_DAYS = 7


def is_soon(days_left: int) -> bool:
    """Tell whether to warn of a certificate's end."""
    return days_left <= SOON_DAYS
