"""What goes wrong for a user, told with its cause and the way out."""

from __future__ import annotations


class UserError(Exception):
    """A failure that the user can mend; shown as text, never as a traceback.

    Args:
        message: What failed, naming the value or thing concerned. Holds no secret.
        cause: Why, where it is known.
        remedy: The command or change that mends it.
        exit_status: What the process exits with.
    """

    def __init__(self, message: str, *, cause: str = "", remedy: str = "", exit_status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.remedy = remedy
        self.exit_status = exit_status
