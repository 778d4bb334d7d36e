"""The service's commands as the operator runs them: processes of their own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from app.core.settings import AppSettings

SECRETS = ("database_password", "redis_password", "secret_key", "providers", "token_keys")
NO_ENVIRONMENT = {"environment", "debug", "testing", "startup_timeout", *SECRETS}

ROTATION, SAMPLES = "app.run.rotate", "app.run.seed"


def environ_for(settings: AppSettings, folder: Path) -> dict[str, str]:
    """Return the environment in which a command has these settings; their secrets are put into files in a folder."""
    plain = {name.upper(): str(value) for name, value in settings if name not in NO_ENVIRONMENT and value is not None}
    for name in SECRETS:
        (folder / name).write_text(getattr(settings, name).get_secret_value())
    files = {f"{name.upper()}_FILE": str(folder / name) for name in SECRETS}
    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return {**measured, **plain, **files}


async def run(module: str, environ: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", module, *arguments]
    return await asyncio.to_thread(
        subprocess.run, command, env=environ, capture_output=True, text=True, check=False, timeout=60
    )
