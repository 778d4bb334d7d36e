"""The toolchain: its parts, the folders they are in, and the version numbers that tools print."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cli.core.paths import account_home, cache_home
from cli.machine.lock import Lock

Version = tuple[int, int, int]

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


class Origin(StrEnum):
    """Where a part of the toolchain comes from."""

    PATH = "path"
    RELEASE = "release"
    BUILT = "built"


@dataclass(frozen=True)
class Cli:
    """The Pulumi CLI; `bin` is the folder to put on PATH, None where it is there already."""

    origin: Origin
    version: str
    pulumi: Path
    bin: Path | None


@dataclass(frozen=True)
class Toolchain:
    """The CLI and its plugins; `home` is the PULUMI_HOME to set, None for the user's own."""

    cli: Cli
    plugins: Origin
    home: Path | None


@dataclass(frozen=True)
class Places:
    """The folders of the parts that this project installs itself."""

    lock: Lock

    @property
    def built(self) -> Path:
        """The folder of what is built: another lock or platform has another."""
        return cache_home() / "toolchain" / f"{self.lock.digest()}-{platform_name()}"

    @property
    def built_home(self) -> Path:
        """Pulumi's home with built plugins, apart so that they never get among a user's official ones."""
        return self.built / "home"

    @property
    def release(self) -> Path:
        """The folder of the official release."""
        return cache_home() / "release" / f"{self.lock.pulumi}-{platform_name()}"

    @property
    def release_home(self) -> Path:
        """Pulumi's home with the official plugins, for the official release."""
        return self.release / "home"


def user_home() -> Path:
    """Return the user's own Pulumi home."""
    chosen = os.environ.get("PULUMI_HOME")
    if chosen and not Path(chosen).is_relative_to(cache_home()):
        return Path(chosen)
    return account_home() / ".pulumi"


def platform_name() -> str:
    """Return the platform as Pulumi's releases name it."""
    machine = platform.machine().lower()
    architecture = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(machine, machine)
    return f"{platform.system().lower()}-{architecture}"


def parse_version(text: str) -> Version | None:
    """Find the first version number in a text."""
    found = _VERSION.search(text)
    if found is None:
        return None
    major, minor, patch = found.groups(default="0")
    return int(major), int(minor), int(patch)


def fits(text: str, *, minimum: str) -> bool:
    """Return whether a version is the minimum or newer, within the same major version."""
    found, oldest = parse_version(text), parse_version(minimum)
    return found is not None and oldest is not None and found[0] == oldest[0] and found >= oldest
