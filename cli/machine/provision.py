"""Getting the Pulumi CLI and its plugins onto a machine: downloaded where possible, else built."""

from __future__ import annotations

from cli.core.errors import UserError
from cli.core.file_lock import exclusively
from cli.core.paths import cache_home
from cli.machine.build import Builder
from cli.machine.download import DownloadError
from cli.machine.go import fetch_go, find_go
from cli.machine.plugins import install_built, install_official
from cli.machine.pulumi import find_cli, find_toolchain, with_plugins
from cli.machine.release import Release
from cli.machine.toolchain import Cli, Origin, Places, Toolchain
from cli.ui.console import err


def provision(places: Places, release: Release | None = None) -> Toolchain:
    """Get what is missing; a second run at the same time waits for the first."""
    with exclusively(cache_home() / "toolchain.lock", "setting up Pulumi"):
        found = find_toolchain(places)
        if found:
            return found
        cli = find_cli(places) or _download(places, release or Release(places.lock.pulumi))
        if cli and cli.origin is not Origin.BUILT:
            return _official(cli, places) or _built_plugins(cli, places)
        return _built(places)


def _download(places: Places, release: Release) -> Cli | None:
    err.print(f"Pulumi {places.lock.pulumi} is not installed; fetching the official release.", highlight=False)
    try:
        release.install(places)
    except DownloadError as error:
        err.print(f"The official release is not to be had: {error}", highlight=False, markup=False)
        return None
    return find_cli(places)


def _official(cli: Cli, places: Places) -> Toolchain | None:
    try:
        install_official(cli, places)
    except UserError as error:
        err.print(f"{error.message} {error.cause}", highlight=False, markup=False)
        return None
    return with_plugins(cli, places)


def _built_plugins(cli: Cli, places: Places) -> Toolchain:
    err.print("Building the plugins from their Go modules instead: about 3 minutes on two cores, once.")
    build(places, plugins_only=True)
    install_built(cli, places)
    return _complete(places)


def _built(places: Places) -> Toolchain:
    err.print(
        "Building Pulumi and its plugins from their Go modules instead: 5 to 8 minutes on two cores, once a machine.\n"
        "It can be interrupted at any point; the next run goes on from there.",
        highlight=False,
    )
    build(places, plugins_only=False)
    cli = find_cli(places)
    if cli:
        install_built(cli, places)
    return _complete(places)


def build(places: Places, *, plugins_only: bool) -> None:
    """Build what is missing of every module."""
    go = find_go(places.lock) or fetch_go(places.lock)
    builder = Builder(go, bin=places.built / "bin", plugins=places.built / "plugins")
    for module in places.lock.modules:
        builder.build(module, plugins_only=plugins_only)


def _complete(places: Places) -> Toolchain:
    found = find_toolchain(places)
    if found is None:
        raise UserError(
            "Pulumi was set up but is not complete.",
            cause=f"Something removed files below {places.built} meanwhile.",
            remedy="Run the same command again.",
        )
    return found
