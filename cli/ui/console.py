"""The two consoles: results on standard output, progress and messages on standard error."""

from __future__ import annotations

import os

from rich.console import Console

UNFOLDED = 240
"""Characters in a line where there is no terminal: what is piped has no width, and Rich would fold tables at 80."""


def _console(*, stderr: bool) -> Console:
    # Of itself Rich leaves bold and dim where NO_COLOR is set.
    made = Console(
        stderr=stderr, soft_wrap=True, emoji=False, color_system=None if os.environ.get("NO_COLOR") else "auto"
    )
    if not made.is_terminal:
        made.width = UNFOLDED
    return made


out = _console(stderr=False)
"""Results. Nothing else is written to standard output, so that it can be piped."""

err = _console(stderr=True)
"""Progress, announcements and errors."""


def announce(line: str) -> None:
    """Print a line to standard error as it is."""
    err.print(line, markup=False, highlight=False)
