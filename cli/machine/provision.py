"""Getting the Pulumi CLI and its plugins onto a machine: downloaded where possible, else built."""

from __future__ import annotations

import os
from pathlib import Path

from cli.core.errors import UserError
from cli.core.paths import cache_home
from cli.core.process import CommandError, run_lines
from cli.machine.build import Builder
from cli.machine.download import DownloadError
from cli.machine.go import fetch_go, find_go
from cli.machine.pulumi import find_cli, find_toolchain, missing_plugins, official_home, with_plugins
from cli.machine.release import Release
from cli.machine.toolchain import Cli, Origin, Places, Toolchain
from cli.ui.console import announce
from cli.ui.file_lock import exclusively
from cli.ui.progress import meter

_BUILT_TIMEOUT_SECONDS = 600
_OFFICIAL_TIMEOUT_SECONDS = 180


def provision(places: Places, release: Release | None = None) -> Toolchain:
    """Get what is missing; a second run at the same time waits for the first."""
    with exclusively(cache_home() / "toolchain.lock", "Another command is setting up Pulumi; waiting for it."):
        found = find_toolchain(places)
        if found:
            return found
        cli = find_cli(places) or _download(places, release or Release(places.lock.pulumi))
        if cli and cli.origin is not Origin.BUILT:
            return _official_plugins(cli, places) or _built_plugins(cli, places)
        return _built(places)


def _download(places: Places, release: Release) -> Cli | None:
    announce(f"Pulumi {places.lock.pulumi} is not installed; downloading the official release.")
    try:
        release.install(places)
    except DownloadError as error:
        announce(f"The official release can't be downloaded: {error}")
        return None
    return find_cli(places)


def _official_plugins(cli: Cli, places: Places) -> Toolchain | None:
    """Let Pulumi download its own plugins."""
    home = official_home(cli, places)
    try:
        for name, version in missing_plugins(places, home):
            _install(cli, home, name, version, timeout=_OFFICIAL_TIMEOUT_SECONDS)
    except UserError as error:
        announce(f"{error.message} {error.cause}")
        return None
    return with_plugins(cli, places)


def _built_plugins(cli: Cli, places: Places) -> Toolchain:
    announce("Building the plugins from their Go modules instead: about 3 minutes on two cores, once.")
    build(places, plugins_only=True)
    _install_built(cli, places)
    return _complete(places)


def _built(places: Places) -> Toolchain:
    announce(
        "Building Pulumi and its plugins from their Go modules instead: 5 to 8 minutes on two cores, once.\n"
        "It can be interrupted at any point; the next run continues from there."
    )
    build(places, plugins_only=False)
    if cli := find_cli(places):
        _install_built(cli, places)
    return _complete(places)


def build(places: Places, *, plugins_only: bool) -> None:
    """Build what is missing of every module."""
    go = find_go(places.lock) or fetch_go(places.lock)
    for module in places.lock.modules:
        Builder(go, module, places.built).build(plugins_only=plugins_only)


def _install_built(cli: Cli, places: Places) -> None:
    """Give Pulumi the plugins that were built, in a home of their own."""
    for name, version in missing_plugins(places, places.built_home):
        binary = places.built / "plugins" / f"pulumi-resource-{name}"
        _install(cli, places.built_home, name, version, "--file", str(binary), timeout=_BUILT_TIMEOUT_SECONDS)


def _install(cli: Cli, home: Path, name: str, version: str, *source: str, timeout: float) -> None:
    home.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PULUMI_HOME": str(home), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    argv = [str(cli.pulumi), "plugin", "install", "resource", name, version, "--reinstall", *source]
    with meter(f"Installing Pulumi's plugin {name} {version}") as shown:
        try:
            run_lines(argv, env=environment, timeout=timeout, on_line=shown.tick)
        except CommandError as error:
            raise UserError(
                f"Pulumi's plugin {name} {version} can't be installed.",
                cause=error.tail or str(error),
                remedy="Run the same command again; `./dashtam doctor` checks what it needs.",
            ) from error


def _complete(places: Places) -> Toolchain:
    found = find_toolchain(places)
    if found is None:
        raise UserError(
            "Pulumi was set up but is not complete.",
            cause=f"Something removed files below {places.built} meanwhile.",
            remedy="Run the same command again.",
        )
    return found
