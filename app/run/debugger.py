"""Lets a debugger attach to a server process; in development only, where debugpy is installed."""

from __future__ import annotations

import logging
import os
import time

VARIABLE = "DEBUGGER_PORT"
HOST = "0.0.0.0"  # noqa: S104 - inside a container; the engine publishes where the config says
SECONDS = 10.0
"""How long the process before this one may take to release the port."""

PAUSE = 0.2

log = logging.getLogger(__name__)


def listen() -> None:
    """Listen for a debugger if the environment asks for it; a server that can't be debugged still serves."""
    port = os.environ.get(VARIABLE)
    if not port:
        return
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # its warning is of frozen modules, which are not ours
    import debugpy  # noqa: PLC0415 - installed in development only

    deadline = time.monotonic() + SECONDS
    while True:
        try:
            debugpy.listen((HOST, int(port)))
        except (RuntimeError, OSError) as error:
            if time.monotonic() > deadline:
                log.warning("No debugger can attach: %s", error)
                return
            time.sleep(PAUSE)
        else:
            log.info("A debugger may attach.")
            return
