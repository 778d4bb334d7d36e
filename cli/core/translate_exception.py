"""Exceptions that any command can meet, as errors with a cause and a remedy."""

from __future__ import annotations

import sys

from cli.core import file_errors, remedies
from cli.core.atomic_files import FULL_DISK
from cli.core.errors import UserError


def explain(error: Exception) -> UserError | None:
    """Return the error to show; None where the exception is a mistake in this program."""
    if _is(error, "docker.errors", "DockerException") or _is(error, "docker.credentials.errors", "StoreError"):
        return UserError(
            "The Docker engine refused.",
            cause=str(error),
            remedy=remedies.known(str(error)) or "Run `./dashtam doctor` for details.",
        )
    if _is(error, "cli.engine.streams", "CommandError"):
        return UserError(
            "A command in a container failed.",
            cause=str(error),
            remedy=remedies.known(str(error))
            or "`./dashtam logs` and `./dashtam doctor` show details. The same command continues from here.",
        )
    if _is_lost_connection(error):
        return UserError(
            "The Docker engine stopped answering.",
            cause=str(error),
            remedy="Start it again and run the same command, which continues from here. `./dashtam doctor` shows"
            " details.",
        )
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        return UserError(
            "A disk of this machine is full.",
            cause=str(error),
            remedy="Free space on the disk that `df -h` shows as full. The same command continues from here.",
        )
    if isinstance(error, OSError) and error.filename is not None:
        return file_errors.explain(error)
    return None


def _is_lost_connection(error: Exception) -> bool:
    if _is(error, "requests", "RequestException") or _is(error, "urllib3.exceptions", "HTTPError"):
        return True
    return isinstance(error, ConnectionError) and "docker" in sys.modules


def _is(error: Exception, module: str, name: str) -> bool:
    # These modules are slow to import; where one of them has raised the error, it is imported.
    return module in sys.modules and isinstance(error, getattr(sys.modules[module], name))
