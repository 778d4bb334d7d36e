"""What stops the service, in one line, and how an unexpected exception is described to developers."""

from __future__ import annotations

import traceback
from pathlib import Path

SOURCE = str(Path(__file__).parents[1])


class ServiceError(Exception):
    """The service cannot start or continue; its text is shown to the operator, so it holds no secret."""


class MigrationError(ServiceError):
    """A migration failed by its own fault, so that an edit of it helps."""


def described(error: BaseException) -> str:
    """Return an exception's type, text, file and line; for developers alone, as the text may hold any value."""
    if isinstance(error, SyntaxError):
        file, line, text = error.filename, error.lineno, error.msg
    else:
        frames = traceback.extract_tb(error.__traceback__)
        own = [one for one in frames if one.filename.startswith(SOURCE)] or frames
        file, line, text = (own[-1].filename, own[-1].lineno, str(error)) if own else ("", None, str(error))
    place = f" ({file}, line {line})" if file else ""
    return f"{type(error).__name__}: {text}{place}"
