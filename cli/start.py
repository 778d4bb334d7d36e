"""Starts the command line: a Ctrl-C that comes before its imports are done ends it without a traceback."""

from __future__ import annotations

import signal


def run() -> None:
    """Import the command line, and run it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from cli import main  # noqa: PLC0415 - takes long enough to be interrupted

    main.run()
