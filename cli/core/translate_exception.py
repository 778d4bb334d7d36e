"""Failures that can meet every command, told with their cause and the way out."""

from __future__ import annotations

import sys

from cli.core.atomic_files import FULL_DISK
from cli.core.errors import UserError


def explain(error: Exception) -> UserError | None:
    """Return what a user needs to know of a failure."""
    if _is(error, "docker.errors", "DockerException"):
        return UserError("The Docker engine refused.", cause=str(error), remedy="`./dashtam doctor` tells more.")
    if _is(error, "cli.engine.streams", "CommandError"):
        return UserError(
            "A command in a container failed.",
            cause=str(error),
            remedy="`./dashtam logs` and `./dashtam doctor` tell more. The same command goes on from here.",
        )
    if _is_lost_connection(error):
        return UserError(
            "The Docker engine stopped answering.",
            cause=str(error),
            remedy="Start it again, and run the same command: it goes on from here. `./dashtam doctor` tells more.",
        )
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        return UserError(
            "A disk of this machine is full.",
            cause=str(error),
            remedy="Make room: `df -h` shows where. The same command goes on from here.",
        )
    return None


def _is_lost_connection(error: Exception) -> bool:
    if _is(error, "requests", "RequestException") or _is(error, "urllib3.exceptions", "HTTPError"):
        return True
    return isinstance(error, ConnectionError) and "docker" in sys.modules


def _is(error: Exception, module: str, name: str) -> bool:
    # These modules take long to import; where one has failed, it is there.
    return module in sys.modules and isinstance(error, getattr(sys.modules[module], name))
