"""The versions of Pulumi, and the Go modules that it is built from, as `toolchain/lock.toml` has them."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cli.core.paths import ROOT

_BUILD_INPUTS = {".go", ".mod", ".sum", ".toml"}


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
        modules=tuple(Module(**{**entry, "folder": folder / entry["folder"]}) for entry in data["modules"]),
    )
