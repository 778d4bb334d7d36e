"""What goes wrong for a user, told with its cause and the way out."""

from __future__ import annotations


class UserError(Exception):
    """A failure that the user can mend; shown as text, never as a traceback."""

    def __init__(self, message: str, *, cause: str = "", remedy: str = "", exit_status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.remedy = remedy
        self.exit_status = exit_status
