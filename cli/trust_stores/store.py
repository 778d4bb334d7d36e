"""What a trust store does, and how it is run."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from cli.core.errors import UserError
from cli.trust_stores.authority import Authority

Say = Callable[[str], None]
Ask = Callable[[str], None]
"""Asks the user, and doesn't return if the answer is no."""


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
        """Return whether it holds a CA that this tool put there."""
        ...

    def add(self, ca: Authority, file: Path, say: Say) -> None:
        """Put a CA in."""
        ...

    def remove(self, ca: Authority, file: Path, say: Say) -> None:
        """Take a CA out; nothing else is touched."""
        ...


def run(command: Sequence[str]) -> str:
    """Run a command to its end."""
    try:
        done = subprocess.run(list(command), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UserError(
            f"{command[0]} is not installed.", remedy="Install it, and run the same command again."
        ) from None
    if done.returncode != 0:
        raise UserError(
            f"`{shlex.join(command)}` failed.",
            cause=(done.stderr or done.stdout).strip(),
            remedy="Run it by hand to see why; once it works, run the same command again.",
        )
    return done.stdout


def run_as_root(command: Sequence[str], say: Say) -> None:
    """Run a command as root: directly if this is root, else by sudo, which asks for the password itself."""
    if os.geteuid() == 0:
        run(command)
        return
    if shutil.which("sudo") is None:
        raise UserError(
            "The system's trust store can be changed by root only, and there is no sudo.",
            remedy=f"Run as root: {shlex.join(command)}",
        )
    say(f"As root: {shlex.join(command)}")
    run(["sudo", "--", *command])
