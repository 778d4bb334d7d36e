"""Restarts a server whenever its source changes; in development only, where watchfiles is installed."""

from __future__ import annotations

import multiprocessing
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from uvicorn import _subprocess
from uvicorn.supervisors.watchfilesreload import WatchFilesReload

from app.core import logs
from app.run.server import CANNOT_START, HOST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SOURCE = Path(__file__).parent.parent


def reload(target: Callable[..., None], ports: Sequence[int], libraries: Sequence[str]) -> None:
    """Keep `target` running on sockets, and restart it whenever the source changes.

    This process listens, so that no connection is refused during a restart. `libraries` are the modules that the server
    needs and that never change meanwhile: importing them takes most of a start, so each server process is forked from
    one that has imported them.
    """
    logs.configure(debug=True)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(libraries))
    _subprocess.spawn = context  # type: ignore[assignment] # uvicorn starts each process from nothing
    # No delay: it would come before the first look at the source, so that an edit right after the start is missed.
    config = uvicorn.Config("app", log_config=None, reload=True, reload_dirs=[str(SOURCE)], reload_delay=0)
    reloader = Reloader(config, target, [socket.create_server((HOST, port)) for port in ports])
    reloader.run()
    sys.exit(reloader.process.exitcode == CANNOT_START)


class Reloader(WatchFilesReload):
    """uvicorn's reloader, which ends when the server cannot start whatever the source says."""

    def should_restart(self) -> list[Path] | None:
        """Return the edited files; `StopIteration` ends the reloader."""
        changes = super().should_restart()
        if not changes and self.process.exitcode == CANNOT_START:
            raise StopIteration
        return changes
