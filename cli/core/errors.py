"""The error that a user can fix, and the suggestion of a name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable


class UserError(Exception):
    """A failure that the user can fix; shown as text, without a traceback, and so without secrets."""

    def __init__(self, message: str, *, cause: str = "", remedy: str = "", exit_status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.remedy = remedy
        self.exit_status = exit_status


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a question that ends with a space; empty where no known name is close."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    close = get_close_matches(word, list(known), n=1)
    return f"Did you mean {close[0]!r}? " if close else ""
