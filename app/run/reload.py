"""Restarts a server whenever its source changes; in development only, where watchfiles is installed."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from uvicorn import _subprocess
from uvicorn.supervisors.watchfilesreload import WatchFilesReload

from app.core import logs

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

SOURCE = Path(__file__).parent.parent


def reload(target: Callable[..., None], sockets: list[socket.socket], libraries: Sequence[str]) -> int:
    """Keep `target` running on the sockets, and restart it whenever the source changes; return the exit status.

    `libraries` are the modules that the server needs and that never change meanwhile: importing them takes most of a
    start, so each server process is forked from one that has imported them.
    """
    logs.configure(debug=True)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(libraries))
    _subprocess.spawn = context  # type: ignore[assignment] # uvicorn starts each process from nothing
    # No delay: it would come before the first look at the source, so that an edit right after the start is missed.
    config = uvicorn.Config("app", log_config=None, reload=True, reload_dirs=[str(SOURCE)], reload_delay=0)
    reloader = Reloader(config, target, sockets)
    reloader.run()
    return int(reloader.process.exitcode == os.EX_UNAVAILABLE)


class Reloader(WatchFilesReload):
    """uvicorn's reloader, which ends when the server cannot start whatever the source says."""

    def should_restart(self) -> list[Path] | None:
        """Return the edited files; `StopIteration` ends the reloader."""
        changes = super().should_restart()
        if not changes and self.process.exitcode == os.EX_UNAVAILABLE:
            raise StopIteration
        return changes
