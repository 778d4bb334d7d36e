"""Starts a server again whenever its source changes."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

from uvicorn import _subprocess
from uvicorn.supervisors.watchfilesreload import WatchFilesReload

from app.run.server import CANNOT_START

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Reloader(WatchFilesReload):
    """uvicorn's reloader, which ends when the server cannot start whatever the source says."""

    def should_restart(self) -> list[Path] | None:
        """Look for edits."""
        changes = super().should_restart()
        if not changes and self.process.exitcode == CANNOT_START:
            raise StopIteration
        return changes

    def supervise(self, libraries: Sequence[str]) -> int:
        """Run until told to stop."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(libraries))
        _subprocess.spawn = context  # type: ignore[assignment] # uvicorn starts each process from nothing
        self.run()
        return int(self.process.exitcode == CANNOT_START)
