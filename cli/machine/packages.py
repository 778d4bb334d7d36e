"""Debian packages, installed with their progress shown."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Sequence

from cli.core import remedies, signals
from cli.core.errors import UserError
from cli.core.process import CommandError, run_lines
from cli.ui.console import announce
from cli.ui.progress import meter

_TIMEOUT_SECONDS = 900


def usable() -> bool:
    """Return whether this machine has apt-get and this user may install with it."""
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def command(packages: Sequence[str]) -> str:
    """Return the command that installs packages, for a user to run."""
    sudo = "" if os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get install --yes --no-install-recommends {' '.join(packages)}"


def install(packages: Sequence[str], what: str, *, remedy: str) -> None:
    """Install packages with their hard dependencies, as root, after announcing the command.

    The download can be interrupted; the installation goes on to its end, since dpkg refuses to work after half of one.
    """
    announce(f"Installing {what}: {command(packages)}")
    wanted = ["install", "--yes", "--no-install-recommends", *packages]
    with meter(f"Installing {what}") as shown:
        try:
            _apt_get(shown.tick, "update")
        except CommandError as error:
            # One unrelated source that fails must not stop this; whether it matters shows in the next step.
            announce(f"apt-get update {error.reason}; continuing with the package lists that there are.")
        try:
            _apt_get(shown.tick, *wanted, "--download-only")
            with signals.postponed():
                _apt_get(shown.tick, *wanted, seconds=math.inf)
        except CommandError as error:
            cause = error.tail or str(error)
            raise UserError(
                f"Debian's packages for {what} can't be installed.",
                cause=cause,
                remedy=remedies.known(cause) or remedy,
            ) from error


def _apt_get(report: Callable[[str], object], *arguments: str, seconds: float = _TIMEOUT_SECONDS) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    argv = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", *arguments]
    run_lines(argv, env=environment, timeout=seconds, on_line=report)
