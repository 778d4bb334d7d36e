"""The two consoles: results on standard output, progress and messages on standard error."""

from __future__ import annotations

import os
from typing import Literal

from rich.console import Console
from rich.text import Text

from cli.core.dev_null import discard
from cli.core.redaction import without_credentials

UNFOLDED = 240
"""Characters in a line where there is no terminal: what is piped has no width, and Rich would fold tables at 80."""


class _Console(Console):
    @property
    def is_terminal(self) -> bool:
        """Whether it is one: FORCE_COLOR asks for colours in a log, not for a moving display there."""
        return self.file.isatty()


class _Messages(_Console):
    def _write_buffer(self) -> None:
        """Write; where nobody reads it, or its disk is full, work goes on without messages."""
        try:
            super()._write_buffer()
        except OSError:
            discard(self.file.fileno())


def _console(*, stderr: bool) -> Console:
    # What is printed has names, paths and output of others in it, so none of it is read as markup.
    made = (_Messages if stderr else _Console)(
        stderr=stderr, soft_wrap=True, markup=False, emoji=False, highlight=False, color_system=_color_system()
    )
    if not made.is_terminal:
        made.width = UNFOLDED
    return made


def _color_system() -> Literal["auto", "standard"] | None:
    # Of itself Rich leaves bold and dim where NO_COLOR is set.
    if os.environ.get("NO_COLOR"):
        return None
    return "standard" if os.environ.get("FORCE_COLOR") else "auto"


out = _console(stderr=False)
"""Results. Nothing else is written to standard output, so that it can be piped."""

err = _console(stderr=True)
"""Progress, announcements and errors."""


def advise(remedy: str) -> None:
    """Print what to do."""
    err.print(Text.assemble(("What to do:", "bold"), " ", remedy))


def announce(line: str) -> None:
    """Print a line to standard error as it is."""
    err.print(without_credentials(line))
