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
from cli.machine.toolchain import Cli, Origin, Toolchain, Versions
from cli.ui.console import announce
from cli.ui.file_lock import exclusively
from cli.ui.progress import meter

_BUILT_TIMEOUT_SECONDS = 600
_OFFICIAL_TIMEOUT_SECONDS = 180


def provision(versions: Versions) -> Toolchain:
    """Get what is missing; a second run at the same time waits for the first."""
    with exclusively(cache_home() / "toolchain.lock", "Another command is setting up Pulumi; waiting for it."):
        found = find_toolchain(versions)
        if found:
            return found
        cli = find_cli(versions) or _download(versions)
        if cli and cli.origin is not Origin.BUILT:
            return _official_plugins(cli, versions) or _built_plugins(cli, versions)
        return _built(versions)


def _download(versions: Versions) -> Cli | None:
    announce(f"Pulumi {versions.pulumi} is not installed; downloading the official release.")
    try:
        Release(versions.pulumi).install(versions)
    except DownloadError as error:
        announce(f"The official release can't be downloaded: {error}")
        return None
    return find_cli(versions)


def _official_plugins(cli: Cli, versions: Versions) -> Toolchain | None:
    """Let Pulumi download its own plugins."""
    home = official_home(cli, versions)
    try:
        for name, version in missing_plugins(versions, home):
            _install(cli, home, name, version, timeout=_OFFICIAL_TIMEOUT_SECONDS)
    except UserError as error:
        announce(f"{error.message} {error.cause}")
        return None
    return with_plugins(cli, versions)


def _built_plugins(cli: Cli, versions: Versions) -> Toolchain:
    announce("Building the plugins from their Go modules instead: about 3 minutes on two cores, once.")
    build(versions, plugins_only=True)
    _install_built(cli, versions)
    return _complete(versions)


def _built(versions: Versions) -> Toolchain:
    announce(
        "Building Pulumi and its plugins from their Go modules instead: 5 to 8 minutes on two cores, once.\n"
        "It can be interrupted at any point; the next run continues from there."
    )
    build(versions, plugins_only=False)
    if cli := find_cli(versions):
        _install_built(cli, versions)
    return _complete(versions)


def build(versions: Versions, *, plugins_only: bool) -> None:
    """Build what is missing of every module."""
    go = find_go(versions) or fetch_go(versions)
    for module in versions.modules:
        Builder(go, module, versions.built).build(plugins_only=plugins_only)


def _install_built(cli: Cli, versions: Versions) -> None:
    """Give Pulumi the plugins that were built, in a home of their own."""
    for name, version in missing_plugins(versions, versions.built_home):
        binary = versions.built / "plugins" / f"pulumi-resource-{name}"
        _install(cli, versions.built_home, name, version, "--file", str(binary), timeout=_BUILT_TIMEOUT_SECONDS)


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


def _complete(versions: Versions) -> Toolchain:
    found = find_toolchain(versions)
    if found is None:
        raise UserError(
            "Pulumi was set up but is not complete.",
            cause=f"Something removed files below {versions.built} meanwhile.",
            remedy="Run the same command again.",
        )
    return found
