"""Whether the engine can bear an environment: its clock is this machine's, and its disk has room."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.filesize import decimal

from cli.core.errors import UserError
from cli.engine import locality

SKEW = timedelta(seconds=60)
"""What certificates that begin now can bear, since nobody waits for health that long."""

ROOM = 1 << 30
"""Bytes that images and a young database need; a disk that is full stops services that run, too."""

HOME_ROOM = 32 << 20
"""Bytes that an update writes at most, with the backups that Pulumi makes of the state."""


def require_sound(info: Mapping[str, Any], now: datetime) -> None:
    """Make sure that an environment can run, by what the engine reports of itself."""
    engine = datetime.fromisoformat(info["SystemTime"])
    if abs(engine - now) > SKEW:
        raise UserError(
            f"The Docker engine's clock differs from this machine's by {_words(abs(engine - now))}.",
            cause=f"It is {now:%Y-%m-%d %H:%M:%S} here and {engine:%Y-%m-%d %H:%M:%S} there (UTC), so certificates"
            " that are made here aren't valid there.",
            remedy="Set the clock that is wrong; where the engine runs in a virtual machine, restart that.",
        )
    if locality.is_here(info):
        _require_room(Path(info["DockerRootDir"]))


def require_home(folder: Path) -> None:
    """Make sure that state and snapshots can be written."""
    there = next(path for path in (folder, *folder.parents) if path.is_dir())
    require_writable(there)  # first: a read-only file system has no free space either
    free = shutil.disk_usage(there).free
    if free < HOME_ROOM:
        raise UserError(
            f"The disk of {folder}, where state and passphrases are kept, is full.",
            cause=f"{decimal(free)} are free; an update needs {decimal(HOME_ROOM)}.",
            remedy="Free some space there; `./dashtam snapshot list` shows what snapshots take.",
        )
    require_writable(folder)


def require_writable(folder: Path) -> None:
    """Make a folder with those above it, and raise the OSError of a write to it, before anything is changed."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not os.access(folder, os.W_OK | os.X_OK):
        number = errno.EROFS if os.statvfs(folder).f_flag & os.ST_RDONLY else errno.EACCES
        raise OSError(number, os.strerror(number), str(folder))


def require_begun(stack: str, begin: datetime | None, now: datetime) -> None:
    """Make sure that an environment's certificates are valid already; they become so at `begin`."""
    if begin is not None and now < begin - SKEW:
        raise UserError(
            f"The certificates of {stack} are not valid for another {_words(begin - now)}.",
            cause=f"They were made at {begin:%Y-%m-%d %H:%M:%S}, and this machine's clock says"
            f" {now:%Y-%m-%d %H:%M:%S} (UTC): it is behind, or it was ahead then.",
            remedy=f"Set the clock right, or, if the clock is right now: `./dashtam certs {stack} --renew`",
        )


def _require_room(root: Path) -> None:
    try:
        free = shutil.disk_usage(root).free
    except OSError:  # an engine beside this system, such as one of another WSL distribution
        return
    if free < ROOM:
        raise UserError(
            f"The disk of {root}, where the Docker engine keeps its data, is full.",
            cause=f"{decimal(free)} are free; an environment needs {decimal(ROOM)}.",
            remedy="`./dashtam images clean` removes images of this project that nothing uses, `docker image prune` and"
            " `docker builder prune` what builds have left; `docker system df` shows what the engine holds.",
        )


def _words(span: timedelta) -> str:
    # Asking the engine takes a moment, so the seconds of a long span mean nothing.
    unit = timedelta(minutes=1) if span >= timedelta(hours=1) else timedelta(seconds=1)
    return str(round(span / unit) * unit)
