"""Puts data into an environment's database: sample accounts, or a file of SQL."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

from cli.core.errors import UsageError
from cli.data import database
from cli.engine.streams import explain_failure
from cli.environments.handle import EnvironmentHandle
from cli.operations import app_programs
from cli.ui.output_files import STREAM

SAMPLES = ("python", "-m", "app.run.seed")


def add_samples(environment: EnvironmentHandle) -> dict[str, Any]:
    """Add the sample accounts that are missing; return how many were added."""
    with explain_failure(
        f"{environment.name} got no samples; nothing was changed.",
        f"Check `./dashtam status {environment.name}`, then run the same command again.",
        environment.name,
    ):
        return app_programs.run(environment, SAMPLES)


def run_file(environment: EnvironmentHandle, file: str) -> None:
    """Run a file of SQL, or standard input for `-`, in an environment's database, in one transaction."""
    try:
        sql = (sys.stdin.buffer.read() if file == STREAM else Path(file).read_bytes()).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{file} can't be read.", cause=getattr(error, "strerror", str(error)), remedy="Name a file of SQL."
        ) from None
    found = database.of(environment)
    with explain_failure(
        f"{file} failed; all that it did not commit itself was taken back.",
        f"Correct {file}, then run `./dashtam seed {environment.name} {shlex.quote(file)}` again.",
        environment.name,
    ):
        found.query(sql)
