"""Docker Compose: the machine's own, else Debian's, which is unpacked and not installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.system.running import TIMEOUT, run, succeed

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = "docker-compose"


@dataclass(frozen=True)
class Compose:
    """A program that reads compose files.

    Args:
        command: How it is started.
        environ: What it needs in its environment besides.
    """

    command: list[str]
    environ: dict[str, str] = field(default_factory=dict)

    def on(self, file: Path, project: str) -> list[str]:
        """Return how it is started on a file."""
        return [*self.command, "--project-name", project, "--file", str(file)]

    def run(self, file: Path, project: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it on a file."""
        return run([*self.on(file, project), *arguments], cwd=file.parent, env={**os.environ, **self.environ})


def found(folder: Path) -> Compose:
    """Return the machine's Compose, or Debian's.

    Args:
        folder: An empty folder, into which that is unpacked.
    """
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and run([*command, "version"], cwd=folder).returncode == 0:
            return Compose(command)
    return _unpacked(folder)


def _unpacked(folder: Path) -> Compose:
    archives, root = folder / "archives", folder / "root"
    (archives / "partial").mkdir(parents=True)
    # All that it needs and that isn't installed; the system itself is left as it is.
    options = ["-q", "-o", f"Dir::Cache::archives={archives}", "-o", "Debug::NoLocking=1", "--yes"]
    install = ["apt-get", *options, "--no-install-recommends", "--download-only", "install", PACKAGE]
    if run(install, cwd=folder).returncode != 0:
        succeed(run(["apt-get", "-q", "update"], cwd=folder, timeout=TIMEOUT))
        succeed(run(install, cwd=folder, timeout=TIMEOUT))
    for archive in archives.glob("*.deb"):
        succeed(run(["dpkg", "--extract", str(archive), str(root)], cwd=folder))
    program = root / "usr/bin/docker-compose"
    # Debian 12's is written in Python, later ones in Go.
    script = program.read_bytes().startswith(b"#!/usr/bin/python3")
    packages = {"PYTHONPATH": str(root / "usr/lib/python3/dist-packages")} if script else {}
    return Compose([*(["/usr/bin/python3"] if script else []), str(program)], packages)
