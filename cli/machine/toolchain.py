"""The toolchain: its versions, as `toolchain/lock.toml` has them, its parts, and the folders they are in."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from cli.core.paths import ROOT, account_home, cache_home
from infra.catalogue import source_paths

_BUILD_INPUTS = {".go", ".mod", ".sum", ".toml"}
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
class Module:
    """One Go module: the packages to build, the names of what comes out, and the scripts to copy, by their source."""

    folder: Path
    program_packages: Sequence[str] = ()
    plugin_packages: Sequence[str] = ()
    ldflags: str = ""
    programs: Sequence[str] = ()
    plugins: Sequence[str] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)

    @property
    def commands(self) -> tuple[str, ...]:
        """Names of its programs and scripts, for PATH."""
        return (*self.programs, *(Path(path).name for path in self.scripts.values()))


@dataclass(frozen=True)
class Versions:
    """The versions of Pulumi, its plugins and Go, and the folders of the parts that this project installs itself."""

    folder: Path
    pulumi: str
    plugins: tuple[tuple[str, str], ...]
    go_minimum: str
    modules: tuple[Module, ...]

    @property
    def programs(self) -> tuple[str, ...]:
        """Names of all programs and scripts for PATH."""
        return tuple(name for module in self.modules for name in module.commands)

    @cached_property
    def digest(self) -> str:
        """A hash of the toolchain's sources, without Go's own version: updating Go must not cost a build."""
        sources = sorted(path for path in source_paths(self.folder) if path.suffix in _BUILD_INPUTS)
        total = hashlib.sha256()
        for path in sources:
            total.update(f"{path.relative_to(self.folder)}\0{path.stat().st_size}\0".encode())
            total.update(path.read_bytes())
        return total.hexdigest()[:16]

    @property
    def built(self) -> Path:
        """The folder of what is built: other versions or another platform have another."""
        return cache_home() / "toolchain" / f"{self.digest}-{platform_name()}"

    @property
    def built_home(self) -> Path:
        """Pulumi's home with built plugins, apart so that they never get among a user's official ones."""
        return self.built / "home"

    @property
    def release(self) -> Path:
        """The folder of the official release."""
        return cache_home() / "release" / f"{self.pulumi}-{platform_name()}"

    @property
    def release_home(self) -> Path:
        """Pulumi's home with the official plugins, for the official release."""
        return self.release / "home"


def read_versions(folder: Path = ROOT / "toolchain") -> Versions:
    """Read `lock.toml`."""
    data = tomllib.loads((folder / "lock.toml").read_text())
    return Versions(
        folder=folder,
        pulumi=data["pulumi"]["version"],
        plugins=tuple(data["plugins"].items()),
        go_minimum=data["go"]["minimum"],
        modules=tuple(Module(**{**entry, "folder": folder / entry["folder"]}) for entry in data["modules"]),
    )


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


def parse_version(text: str) -> tuple[int, int, int] | None:
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
