"""What a trust store does, and how the programs that change it are run."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from cli.core import process
from cli.core.errors import UserError
from cli.trust_stores.authority import Authority
from cli.ui.console import announce


class Store(Protocol):
    """A place in which programs look for CAs to trust."""

    @property
    def place(self) -> str:
        """What and where it is, for people."""
        ...

    @property
    def needs_root(self) -> bool:
        """Whether only root may change it."""
        ...

    def holds(self, ca: Authority) -> bool:
        """Return whether it holds a CA that this program added."""
        ...

    def add(self, ca: Authority, file: Path) -> None:
        """Add a CA, whose certificate is in the file."""
        ...

    def remove(self, ca: Authority, file: Path) -> None:
        """Remove a CA; nothing else is touched."""
        ...


def run(command: Sequence[str]) -> str:
    """Run a command to its end and return its standard output."""
    if shutil.which(command[0]) is None:
        raise UserError(f"{command[0]} is not installed.", remedy="Install it, and run the same command again.")
    try:
        return process.output(command)
    except process.CommandError as error:
        raise UserError(
            f"`{shlex.join(command)}` failed.",
            cause=error.tail,
            remedy="Run it by hand to see why; once it works, run the same command again.",
        ) from None


def run_as_root(command: Sequence[str]) -> None:
    """Run a command as root: directly if this is root, else by sudo, which asks for the password itself."""
    if os.geteuid() == 0:
        run(command)
        return
    if shutil.which("sudo") is None:
        raise UserError(
            "The system's trust store can be changed by root only, and there is no sudo.",
            remedy=f"Run as root: {shlex.join(command)}",
        )
    announce(f"As root: {shlex.join(command)}")
    run(["sudo", "--", *command])
