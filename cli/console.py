"""The two consoles: results on standard output, progress and messages on standard error."""

from __future__ import annotations

from rich.console import Console

out = Console(soft_wrap=True, emoji=False)
"""Results. Nothing else goes to standard output, so that it can be piped."""

if not out.is_terminal:
    # What is piped has no width; Rich would fold tables at 80 characters.
    out.width = 240

err = Console(stderr=True, soft_wrap=True, emoji=False)
"""Progress, announcements and errors."""
