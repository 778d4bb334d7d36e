"""Installing Debian packages."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cli.core.process import CommandError, Watcher, run_lines
from cli.ui.console import err
from cli.ui.progress import meter

if TYPE_CHECKING:
    from collections.abc import Sequence

_TIMEOUT_SECONDS = 900


def install(packages: Sequence[str], what: str) -> None:
    """Install packages with their hard dependencies, as root; whoever asks has announced it."""
    with meter(f"Installing {what}", unit="steps") as progress:
        watcher = Watcher(on_tick=progress.tick)
        try:
            _apt(["update"], watcher)
        except CommandError as error:
            # One unrelated source that fails must not stop this; whether it matters shows in the next step.
            err.print(f"apt-get update {error.reason}; going on with what it did get.", highlight=False)
        _apt(["install", "--yes", "--no-install-recommends", *packages], watcher)


def _apt(arguments: Sequence[str], watcher: Watcher) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    argv = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", *arguments]
    run_lines(argv, env=environment, timeout=_TIMEOUT_SECONDS, watcher=watcher)
