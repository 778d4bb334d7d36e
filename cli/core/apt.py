"""Installing Debian packages."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from cli.core.process import CommandError, run_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TIMEOUT_SECONDS = 900


def usable() -> bool:
    """Return whether this machine has apt-get and this user may install with it."""
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def command(packages: Sequence[str]) -> str:
    """Return the command that installs packages, for a user to run."""
    sudo = "" if os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get install --yes --no-install-recommends {' '.join(packages)}"


def install(packages: Sequence[str], report: Callable[[str], object] = lambda _: None) -> None:
    """Install packages with their hard dependencies, as root; `report` gets apt-get's output.

    Raises CommandError, with apt-get's last lines, where they can't be installed.
    """

    def apt_get(*arguments: str) -> None:
        run_lines(
            ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", *arguments],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            timeout=_TIMEOUT_SECONDS,
            on_line=report,
        )

    try:
        apt_get("update")
    except CommandError as error:
        # One unrelated source that fails must not stop this; whether it matters shows in the next step.
        report(f"apt-get update {error.reason}; continuing with the package lists that there are")
    apt_get("install", "--yes", "--no-install-recommends", *packages)
