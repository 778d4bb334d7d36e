"""The versions of Pulumi, and the Go modules that it is built from, as `toolchain/lock.toml` has them."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.core.paths import ROOT

_BUILD_INPUTS = {".go", ".mod", ".sum", ".toml"}


@dataclass(frozen=True)
class Module:
    """One Go module: the packages to build, the names of what comes out, and the scripts to copy (source, path)."""

    folder: Path
    program_packages: tuple[str, ...]
    plugin_packages: tuple[str, ...]
    ldflags: str
    programs: tuple[str, ...]
    plugins: tuple[str, ...]
    scripts: tuple[tuple[str, str], ...]

    @property
    def commands(self) -> tuple[str, ...]:
        """Names of its programs and scripts, for PATH."""
        return (*self.programs, *(Path(path).name for _, path in self.scripts))


@dataclass(frozen=True)
class Lock:
    """Everything that decides what the toolchain is."""

    folder: Path
    pulumi: str
    plugins: tuple[tuple[str, str], ...]
    go_minimum: str
    modules: tuple[Module, ...]

    @property
    def programs(self) -> tuple[str, ...]:
        """Names of all programs and scripts for PATH."""
        return tuple(name for module in self.modules for name in module.commands)

    def digest(self) -> str:
        """Return a hash of the toolchain's sources, without Go's own version: updating Go must not cost a build."""
        sources = sorted(path for path in self.folder.rglob("*") if path.suffix in _BUILD_INPUTS)
        total = hashlib.sha256()
        for path in sources:
            total.update(f"{path.relative_to(self.folder)}\0{path.stat().st_size}\0".encode())
            total.update(path.read_bytes())
        return total.hexdigest()[:16]


def read_lock(folder: Path = ROOT / "toolchain") -> Lock:
    """Read `lock.toml`."""
    data = tomllib.loads((folder / "lock.toml").read_text())
    return Lock(
        folder=folder,
        pulumi=data["pulumi"]["version"],
        plugins=tuple(data["plugins"].items()),
        go_minimum=data["go"]["minimum"],
        modules=tuple(_module(folder, entry) for entry in data["modules"]),
    )


def _module(folder: Path, entry: dict[str, Any]) -> Module:
    return Module(
        folder=folder / entry["folder"],
        program_packages=tuple(entry.get("program_packages", ())),
        plugin_packages=tuple(entry.get("plugin_packages", ())),
        ldflags=entry.get("ldflags", ""),
        programs=tuple(entry.get("programs", ())),
        plugins=tuple(entry.get("plugins", ())),
        scripts=tuple(entry.get("scripts", {}).items()),
    )
