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
from cli.trust_stores.authority import Authority, NotBegunError
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

    def holds(self, ca: Authority) -> bool | None:
        """Return whether it holds a CA that this program added; None where nothing can look."""
        ...

    def add(self, ca: Authority, file: Path) -> None:
        """Add a CA, whose certificate is in the file, or finish to add it."""
        ...

    def remove(self, ca: Authority, file: Path) -> None:
        """Remove a CA, or finish to remove it; nothing else is touched."""
        ...


def run(command: Sequence[str], file: Path | None = None) -> str:
    """Run a command to its end, with a file as its standard input if one is given; return its standard output."""
    if shutil.which(command[0]) is None:
        raise UserError(f"{command[0]} is not installed.", remedy="Install it, and run the same command again.")
    try:
        return process.output(command, stdin=file.read_text() if file else None)
    except process.CommandError as error:
        raise UserError(
            f"`{_shown(command, file)}` failed.",
            cause=error.tail,
            remedy="Run it by hand to see why; once it works, run the same command again.",
        ) from None


def run_as_root(command: Sequence[str], file: Path | None = None) -> None:
    """Run a command as root: directly if this is root, else by sudo, which asks for the password itself.

    It gets the content of a file, not its path: root may not read homes on NFS and FUSE.
    """
    if os.geteuid() == 0:
        run(command, file)
        return
    by_hand = _shown(command, file)
    announce(f"As root: {by_hand}")
    _require_sudo(by_hand)
    run(["sudo", "--", *command], file)


def _require_sudo(by_hand: str) -> None:
    """Let sudo ask for the password, which it remembers for the next command.

    Not with `sudo -v`, which asks some users for one who may run commands without.
    """
    try:
        process.output(["sudo", "--", "true"])
    except (process.CommandError, KeyboardInterrupt) as error:
        raise NotBegunError(
            "The system's trust store can be changed by root only, and sudo failed.",
            cause=error.tail or str(error) if isinstance(error, process.CommandError) else "Interrupted.",
            remedy=f"Leave it alone with --store browsers; or run this as root, then the same command again: {by_hand}",
        ) from None


def _shown(command: Sequence[str], file: Path | None) -> str:
    return f"{shlex.join(command)} < {shlex.quote(str(file))}" if file else shlex.join(command)
