"""Installing Debian's Docker engine, and having it started."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from cli.core.errors import UserError
from cli.core.paths import cache_home
from cli.core.process import CommandError, run_lines
from cli.engine.connect import Engine, UnreachableError, explain, probe
from cli.engine.endpoint import DEFAULT_SOCKET, Endpoint
from cli.machine import packages
from cli.machine.engine_start import START_TIMEOUT_SECONDS, start_dockerd, wait_for_engine
from cli.ui.console import announce
from cli.ui.file_lock import exclusively

_PACKAGES = ("docker.io", "iptables")
_SYSTEMD = Path("/run/systemd/system")
_SERVICE = Path("/etc/init.d/docker")
_DIRECTLY = ("dockerd",)


def set_up_engine(failure: UnreachableError) -> Engine:
    """Install an engine if there is none, and start it."""
    if failure.denied or failure.endpoint.chosen or platform.system() != "Linux" or os.geteuid() != 0:
        raise explain(failure)
    endpoint = Endpoint(f"unix://{DEFAULT_SOCKET}", "started by dashtam", chosen=False)
    with exclusively(cache_home() / "engine.lock", "Another command is setting up the Docker engine; waiting for it."):
        try:
            return probe(endpoint)  # another run was faster
        except UnreachableError:
            if shutil.which("dockerd") is None:
                _install(failure)
            return _start(endpoint)


def _install(failure: UnreachableError) -> None:
    if not packages.usable():
        raise explain(failure)
    packages.install(
        _PACKAGES,
        "the Docker engine",
        remedy=f"Run `{packages.command(_PACKAGES)}` until it succeeds, or install a Docker engine in another way; then"
        " run the same command again.",
    )


def _start(endpoint: Endpoint) -> Engine:
    log = cache_home() / "dockerd.log"
    failures: list[str] = []
    for argv in _start_commands():
        name = " ".join(argv)
        announce(f"Starting the Docker engine: {name}")
        try:
            daemon = start_dockerd(argv, log) if argv == _DIRECTLY else None
            if daemon is None:
                run_lines(argv, timeout=START_TIMEOUT_SECONDS)
            return wait_for_engine(endpoint, daemon)
        except (CommandError, UnreachableError) as error:
            failures.append(f"{name}: {getattr(error, 'tail', '') or error}")
    raise UserError(
        "The Docker engine is installed but doesn't start.",
        cause="\n".join(failures),
        remedy=f"Read its log ({log}, /var/log/docker.log or `journalctl -u docker`), remove the cause, and run the"
        " same command again.",
    )


def _start_commands() -> Iterator[tuple[str, ...]]:
    """List the commands to try: what the machine starts services with, else the engine itself."""
    if _SYSTEMD.is_dir():
        yield ("systemctl", "start", "docker")
        return
    if _SERVICE.exists():
        yield ("service", "docker", "start")
    yield _DIRECTLY
