"""Restarts a server whenever its source changes; in development only, where watchfiles is installed."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn import _subprocess
from uvicorn.supervisors.watchfilesreload import WatchFilesReload

from app.core import logs
from app.run.server import refuse

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

SOURCE = Path(__file__).parent.parent
NOT_SOURCE = ("__pycache__", "*.py[cod]", ".*", "*~", "#*#", "*.swp", "*.tmp", "4913")
"""Names of files and folders that aren't source; `.dockerignore` has the same."""


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


def is_source(path: Path) -> bool:
    """Return whether a server may read a file: not what Python, editors and file managers leave beside the source."""
    within = path.relative_to(SOURCE) if path.is_relative_to(SOURCE) else path
    return not any(fnmatchcase(part, pattern) for part in within.parts for pattern in NOT_SOURCE)


class Reloader(WatchFilesReload):
    """uvicorn's reloader, which ends when the server cannot start whatever the source says."""

    def __init__(self, *arguments: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*arguments)
        self.watch_filter = is_source  # type: ignore[assignment] # uvicorn's looks at Python files only

    def should_restart(self) -> list[Path] | None:
        """Return the edited files; `StopIteration` ends the reloader."""
        changes = super().should_restart()
        if not changes and self.process.exitcode == os.EX_UNAVAILABLE:
            raise StopIteration
        if not changes and self.process.exitcode:
            # It ended before it could answer with its fault. Forked, as a new process imports the source.
            refusing = multiprocessing.get_context("fork").Process(target=self._refuse)
            refusing.start()
            self.process = refusing  # type: ignore[assignment] # uvicorn's type is of its own context
        return changes

    def _refuse(self) -> None:
        asyncio.run(refuse("The source can't run; the log says why.", self.sockets))
