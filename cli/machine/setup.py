"""A machine made ready: an engine that answers, the toolchain, and the environment that lets plain tools find both."""

from __future__ import annotations

import os
from pathlib import Path

from cli.core.paths import ROOT, cache_home
from cli.engine.connect import UnreachableError, explain, find_endpoint
from cli.engine.endpoint import Endpoint
from cli.machine import pulumi
from cli.machine.toolchain import Toolchain, read_versions, user_home


def prepare(*, install: bool, need_engine: bool) -> dict[str, str]:
    """Install and start what is missing, where that is allowed; return the variables to set on top of a user's."""
    engine = require_engine(install=install) if need_engine else _reachable_engine(remember=install)
    return tool_environment(require_toolchain(install=install), engine)


def require_engine(*, install: bool) -> Endpoint:
    """Return an engine that answers, started or installed first where that is allowed."""
    try:
        return find_endpoint(remember=install)
    except UnreachableError as failure:
        if not install:
            raise explain(failure) from failure
        from cli.machine.engine_setup import set_up_engine  # noqa: PLC0415 - needed once for each machine

        return set_up_engine(failure).endpoint


def require_toolchain(*, install: bool) -> Toolchain:
    """Return Pulumi with its plugins, downloaded or built first where that is allowed."""
    versions = read_versions()
    found = pulumi.find_toolchain(versions, remember=install)
    if not found:
        if not install:
            raise pulumi.missing(versions)
        from cli.machine.provision import provision  # noqa: PLC0415 - needed once for each machine

        found = provision(versions)
    if found.home:
        pulumi.turn_off_logs(found.home)
    return found


def _reachable_engine(*, remember: bool) -> Endpoint | None:
    try:
        return find_endpoint(remember=remember)
    except UnreachableError:
        return None


def tool_environment(toolchain: Toolchain, engine: Endpoint | None) -> dict[str, str]:
    """Return the variables that make plain `pulumi` and Docker's clients find what the commands use."""
    variables = {"PATH": _search_path(toolchain.cli.bin), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    if toolchain.home:
        variables["PULUMI_HOME"] = str(toolchain.home)
        # The home is this project's, but a login is the user's own and stays where it was.
        variables["PULUMI_CREDENTIALS_PATH"] = os.environ.get("PULUMI_CREDENTIALS_PATH") or str(user_home())
    if engine:
        variables |= engine.environment()
    return variables


def _search_path(tools: Path | None) -> str:
    """Put the virtual environment first: Pulumi's language host runs the first `python` that it finds."""
    first = [str(ROOT / ".venv" / "bin"), *([str(tools)] if tools else [])]
    ours = str(cache_home())
    rest = [folder for folder in os.get_exec_path() if folder not in first and not folder.startswith(ours)]
    return os.pathsep.join([*first, *rest])
