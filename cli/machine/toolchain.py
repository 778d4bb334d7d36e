"""What the toolchain is once it is there, and where its parts are kept."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from cli.core.paths import account_home, cache_home

if TYPE_CHECKING:
    from cli.machine.lock import Lock


class Origin(StrEnum):
    """Where a part of the toolchain comes from."""

    PATH = "path"
    RELEASE = "release"
    BUILT = "built"


@dataclass(frozen=True)
class Cli:
    """The Pulumi CLI."""

    origin: Origin
    version: str
    pulumi: Path
    bin: Path | None


@dataclass(frozen=True)
class Toolchain:
    """The CLI and its plugins."""

    cli: Cli
    plugins: Origin
    home: Path | None


@dataclass(frozen=True)
class Places:
    """Where the parts that this project gets for itself are kept."""

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
