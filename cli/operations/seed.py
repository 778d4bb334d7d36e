"""Puts data into an environment's database: sample accounts, or what a file of SQL says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from cli.core.errors import UsageError
from cli.data import database
from cli.engine.streams import explain_failure
from cli.environments.handle import Target
from cli.operations import app_programs
from cli.ui.output_files import STREAM

SAMPLES = ("python", "-m", "app.run.seed")


def add_samples(target: Target) -> dict[str, Any]:
    """Add the sample accounts that are missing; return how many were added."""
    with explain_failure(
        f"{target.environment} got no samples; nothing was changed.",
        f"Check `./dashtam status {target.environment}`, then run the same command again.",
    ):
        return app_programs.run(target, SAMPLES)


def run_file(target: Target, file: str) -> None:
    """Run a file of SQL, or standard input for `-`, in an environment's database, in one transaction."""
    try:
        sql = (sys.stdin.buffer.read() if file == STREAM else Path(file).read_bytes()).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{file} can't be read.", cause=getattr(error, "strerror", str(error)), remedy="Name a file of SQL."
        ) from None
    found = database.of(target)
    with explain_failure(
        f"{file} failed; all that it did not commit itself was taken back.",
        f"Correct {file}, then run `./dashtam seed {target.environment} {file}` again.",
    ):
        found.query(sql)
