"""The folders outside a clone: the user's home, what can be made again, and what must not be lost."""

from __future__ import annotations

import os
import pwd
import shlex
from pathlib import Path

import platformdirs

from cli.core.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
"""The project's root: the folder of Pulumi.yaml."""


def account_home() -> Path:
    """Return the user's home folder as Pulumi finds it: by the account, whatever HOME says (Go, os/user)."""
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return Path.home()


def cache_home() -> Path:
    """Return the folder of what can be made again: toolchain builds and downloads."""
    return _absolute("DASHTAM_CACHE_HOME", platformdirs.user_cache_path("dashtam"))


def data_home() -> Path:
    """Return the folder of what must not be lost: Pulumi's state and passphrases."""
    return _absolute("DASHTAM_DATA_HOME", platformdirs.user_data_path("dashtam"))


def _absolute(variable: str, usual: Path) -> Path:
    """Return the folder that a variable names, else the usual one: the same one in whichever folder a command runs."""
    folder = Path(os.environ.get(variable) or usual)
    if not folder.is_absolute():
        raise UserError(
            f"The folder {folder} is not an absolute path.",
            cause=f"{variable} names it.",
            remedy=f"Write it in full: {variable}={shlex.quote(str(Path.cwd() / folder.expanduser()))}",
        )
    return folder
