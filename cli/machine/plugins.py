"""Pulumi's resource plugins: the official ones, else those that were built."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cli.core.errors import UserError
from cli.core.process import CommandError, Watcher, run_lines
from cli.machine.toolchain import Cli, Origin, Places, user_home
from cli.ui.progress import meter

if TYPE_CHECKING:
    from pathlib import Path

_INSTALL_TIMEOUT_SECONDS = 600
_OFFICIAL_TIMEOUT_SECONDS = 180


def missing_plugins(places: Places, home: Path) -> list[tuple[str, str]]:
    """List the plugins that a Pulumi home lacks."""
    return [(name, version) for name, version in places.lock.plugins if not _installed(home, name, version)]


def _installed(home: Path, name: str, version: str) -> bool:
    folder = home / "plugins" / f"resource-{name}-v{version}"
    # Pulumi marks one that is being installed, or whose installation broke off, by a file of this name.
    partial = folder.with_name(folder.name + ".partial")
    return (folder / f"pulumi-resource-{name}").is_file() and not partial.exists()


def official_home(cli: Cli, places: Places) -> Path:
    """Return the home that official plugins belong in."""
    return places.release_home if cli.origin is Origin.RELEASE else user_home()


def install_official(cli: Cli, places: Places) -> None:
    """Let Pulumi download its own plugins."""
    home = official_home(cli, places)
    for name, version in missing_plugins(places, home):
        _install(cli, home, name, version, timeout=_OFFICIAL_TIMEOUT_SECONDS)


def install_built(cli: Cli, places: Places) -> None:
    """Give Pulumi the plugins that were built, in a home of their own."""
    for name, version in missing_plugins(places, places.built_home):
        binary = places.built / "plugins" / f"pulumi-resource-{name}"
        _install(cli, places.built_home, name, version, "--file", str(binary), timeout=_INSTALL_TIMEOUT_SECONDS)


def _install(cli: Cli, home: Path, name: str, version: str, *source: str, timeout: float) -> None:
    home.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PULUMI_HOME": str(home), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    argv = [str(cli.pulumi), "plugin", "install", "resource", name, version, "--reinstall", *source]
    with meter(f"Installing Pulumi's plugin {name} {version}", unit="steps") as progress:
        try:
            run_lines(argv, env=environment, timeout=timeout, watcher=Watcher(on_tick=progress.tick))
        except CommandError as error:
            raise UserError(
                f"Pulumi's plugin {name} {version} can't be installed.",
                cause=error.tail or str(error),
                remedy="Run the same command again; `./dashtam doctor` checks what it needs.",
            ) from error
