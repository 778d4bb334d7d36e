"""Newer Python packages, within what pyproject.toml allows."""

from __future__ import annotations

import os
import shutil
import tempfile
import tomllib
from pathlib import Path

from cli.machine.process import CommandError, run_lines
from cli.paths import ROOT, cache_home
from cli.pins.proposal import Edit, NoAnswerError, Proposal, changed, gist

SOURCE = "Python packages"
FILES = ("pyproject.toml", "uv.lock")
SECONDS = 180.0


def propose(root: Path = ROOT) -> Proposal:
    """Ask the package index what uv would lock today.

    Args:
        root: The project's root.

    Returns:
        The proposal.

    Raises:
        NoAnswerError: There is no uv, or the index doesn't answer.
    """
    old = (root / "uv.lock").read_text()
    new = _locked(root)
    changes = changed(versions(old), versions(new))
    edits = (Edit("uv.lock", old, new, gist(changes)),) if changes else ()
    return Proposal(SOURCE, changes, edits)


def versions(lock: str) -> dict[str, str]:
    """Return the locked versions.

    Args:
        lock: The text of a uv.lock.

    Returns:
        By package; all of them where platforms have several.
    """
    found: dict[str, list[str]] = {}
    for package in tomllib.loads(lock)["package"]:
        if "version" in package:
            found.setdefault(package["name"], []).append(package["version"])
    return {name: ", ".join(sorted(several)) for name, several in found.items()}


def _locked(root: Path) -> str:
    uv = find_uv()
    with tempfile.TemporaryDirectory() as folder:
        for name in FILES:
            shutil.copy(root / name, folder)
        command = [uv, "lock", "--upgrade", "--no-progress", "--project", folder]
        try:
            run_lines(command, env={**os.environ, "UV_SYSTEM_CERTS": "true"}, timeout=SECONDS)
        except CommandError as error:
            raise NoAnswerError(f"`uv lock --upgrade` {error.reason}: {error.tail}") from None
        return (Path(folder) / "uv.lock").read_text()


def find_uv() -> str:
    """Find the uv that the launcher uses.

    Raises:
        NoAnswerError: There is none.
    """
    installed = sorted((cache_home() / "uv").glob("*/uv"))
    found = shutil.which("uv") or (str(installed[-1]) if installed else None)
    if not found:
        raise NoAnswerError("uv is neither on PATH nor in the cache; install it")
    return found
