"""The environment that makes plain `pulumi` and Docker's clients find the same things as the operator commands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cli.core.paths import ROOT, cache_home
from cli.machine.toolchain import user_home

if TYPE_CHECKING:
    from pathlib import Path

    from cli.engine.connect import Engine
    from cli.machine.toolchain import Toolchain


def tool_environment(toolchain: Toolchain, engine: Engine | None) -> dict[str, str]:
    """Return the variables to set on top of a user's environment."""
    variables = {
        "PATH": _search_path(toolchain.cli.bin),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    if toolchain.home:
        variables["PULUMI_HOME"] = str(toolchain.home)
        # The home is one of ours, but a login is the user's own and must be found and kept where it was.
        variables["PULUMI_CREDENTIALS_PATH"] = os.environ.get("PULUMI_CREDENTIALS_PATH") or str(user_home())
    if engine:
        variables |= engine.endpoint.environment()
    return variables


def _search_path(tools: Path | None) -> str:
    """Put the virtual environment first: Pulumi's language host runs the first `python` that it finds."""
    first = [str(ROOT / ".venv" / "bin"), *([str(tools)] if tools else [])]
    ours = str(cache_home())
    rest = [folder for folder in os.get_exec_path() if folder not in first and not folder.startswith(ours)]
    return os.pathsep.join([*first, *rest])
