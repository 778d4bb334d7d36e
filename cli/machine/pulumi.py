"""Finding the Pulumi CLI and its plugins."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path

from cli.core.atomic_files import write_whole
from cli.core.errors import UserError
from cli.core.paths import cache_home
from cli.core.process import CommandError, output
from cli.machine.toolchain import Cli, Origin, Toolchain, Versions, fits, parse_version, user_home


def find_toolchain(versions: Versions, *, remember: bool = True) -> Toolchain | None:
    """Find a CLI with all its plugins, without changing anything but what is remembered."""
    cli = find_cli(versions, remember=remember)
    return with_plugins(cli, versions) if cli else None


def find_cli(versions: Versions, *, remember: bool = True) -> Cli | None:
    """Find a CLI that fits, without changing anything but what is remembered."""
    return _on_path(versions, remember) or _ours(versions, Origin.RELEASE) or _ours(versions, Origin.BUILT)


def with_plugins(cli: Cli, versions: Versions) -> Toolchain | None:
    """Return a CLI with its plugins, official or built; None where some are missing."""
    home = official_home(cli, versions)
    if cli.origin is not Origin.BUILT and not missing_plugins(versions, home):
        return Toolchain(cli, Origin.RELEASE, home if cli.origin is Origin.RELEASE else None)
    if not missing_plugins(versions, versions.built_home):
        return Toolchain(cli, Origin.BUILT, versions.built_home)
    return None


def official_home(cli: Cli, versions: Versions) -> Path:
    """Return the Pulumi home for a CLI's official plugins."""
    return versions.release_home if cli.origin is Origin.RELEASE else user_home()


def missing_plugins(versions: Versions, home: Path) -> list[tuple[str, str]]:
    """List the names and versions of plugins that a Pulumi home lacks."""
    return [(name, version) for name, version in versions.plugins if not _is_installed(home, name, version)]


def _is_installed(home: Path, name: str, version: str) -> bool:
    folder = home / "plugins" / f"resource-{name}-v{version}"
    # Pulumi marks a plugin whose installation is under way, or was interrupted, by a file of this name.
    partial = folder.with_name(folder.name + ".partial")
    return (folder / f"pulumi-resource-{name}").is_file() and not partial.exists()


def turn_off_logs(home: Path) -> None:
    """Keep Pulumi from logging each of its steps: it takes a tenth of an update's time, and Pulumi keeps up to 500 MB.

    There is no setting for it. Where Pulumi finds a file in place of the folder, it goes without.
    """
    logs = home / "logs"
    if not logs.is_file():
        with contextlib.suppress(OSError):
            if logs.exists():
                shutil.rmtree(logs)
            logs.touch()


def missing(versions: Versions) -> UserError:
    """Return the error for a machine that lacks Pulumi or a plugin, where nothing may be installed."""
    cli = find_cli(versions, remember=False)
    what = f"Pulumi {cli.version}'s plugins are" if cli else f"Pulumi {versions.pulumi} or newer is"
    return UserError(
        f"{what} not installed, and nothing may be installed.",
        remedy="Run the same command without --no-install: it downloads or builds what is missing, once.",
    )


def _on_path(versions: Versions, remember: bool) -> Cli | None:
    for folder in os.get_exec_path():
        # The environment of an earlier `eval "$(./dashtam env)"` must not make ours look like the user's.
        if Path(folder).is_relative_to(cache_home()):
            continue
        command = shutil.which("pulumi", path=folder)
        if command:
            version = _version(Path(command), remember)
            fitting = fits(version, minimum=versions.pulumi)
            return Cli(Origin.PATH, version.strip().lstrip("v"), Path(command), None) if fitting else None
    return None


def _ours(versions: Versions, origin: Origin) -> Cli | None:
    folder = (versions.release if origin is Origin.RELEASE else versions.built) / "bin"
    if all((folder / name).is_file() for name in versions.programs):
        return Cli(origin, versions.pulumi, folder / "pulumi", folder)
    return None


def _version(command: Path, remember: bool) -> str:
    """Return a CLI's version, remembered as long as the file stays the same: asking it takes too long."""
    status = command.stat()
    identity = [str(command), status.st_size, status.st_mtime_ns]
    record = cache_home() / "pulumi-on-path.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(record.read_text())
        if known["identity"] == identity:
            return str(known["version"])
    version = _ask_version(command)
    if remember and parse_version(version):
        with contextlib.suppress(OSError):
            write_whole(record, json.dumps({"identity": identity, "version": version}))
    return version


def _ask_version(command: Path) -> str:
    try:
        return output(
            [str(command), "version"], env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}, timeout=20
        ).strip()
    except CommandError:
        return ""
