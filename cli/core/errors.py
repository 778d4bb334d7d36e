"""Failures that a user can do something about, and the exit statuses of the command."""

from __future__ import annotations

from collections.abc import Iterable

from cli.core.redaction import without_credentials

FAILED = 1
FINDINGS = 2
"""The exit status of a check that found something: `drift`, `certs`, `doctor`."""
USAGE = 64
"""The exit status of a wrong command line (sysexits(3), EX_USAGE)."""


class UserError(Exception):
    """A failure with its cause and its remedy; printed as text, never as a traceback."""

    exit_status = FAILED

    def __init__(self, message: str, *, cause: str = "", remedy: str = "") -> None:
        self.message, self.cause, self.remedy = map(without_credentials, (message, cause, remedy))
        super().__init__(self.message)


class UsageError(UserError):
    """A mistake in the command line."""

    exit_status = USAGE


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a question that ends with a space; empty where no known name is close."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    close = get_close_matches(word, list(known), n=1)
    return f"Did you mean {close[0]!r}? " if close else ""
