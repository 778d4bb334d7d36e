"""The folders outside a clone: the user's home, what can be made again, and what must not be lost."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import platformdirs

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
    return Path(os.environ.get("DASHTAM_CACHE_HOME") or platformdirs.user_cache_path("dashtam"))


def data_home() -> Path:
    """Return the folder of what must not be lost: Pulumi's state and passphrases."""
    return Path(os.environ.get("DASHTAM_DATA_HOME") or platformdirs.user_data_path("dashtam"))
