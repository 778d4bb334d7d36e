"""Newer npm packages of the sandbox, of the same major version."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from cli.machine.process import CommandError, run_lines
from cli.paths import ROOT
from cli.pins.proposal import Edit, NoAnswerError, Proposal, changed, gist

SOURCE = "npm packages"
FOLDER = "sandbox"
PACKAGE, LOCK = "package.json", "package-lock.json"
FILES = (PACKAGE, LOCK, ".npmrc")
SECONDS = 180.0


def propose(root: Path = ROOT) -> Proposal:
    """Ask the package registry what npm would lock today.

    Args:
        root: The project's root.

    Returns:
        The proposal.

    Raises:
        NoAnswerError: There is no npm, or the registry doesn't answer.
    """
    before = {name: (root / FOLDER / name).read_text() for name in (PACKAGE, LOCK)}
    after = _locked(root / FOLDER)
    changes = changed(versions(before[LOCK]), versions(after[LOCK]))
    if not changes:
        return Proposal(SOURCE)
    edits = [Edit(f"{FOLDER}/{LOCK}", before[LOCK], after[LOCK], gist(changes))]
    if before[PACKAGE] != after[PACKAGE]:
        edits.insert(0, Edit(f"{FOLDER}/{PACKAGE}", before[PACKAGE], after[PACKAGE]))
    return Proposal(SOURCE, changes, tuple(edits))


def versions(lock: str) -> dict[str, str]:
    """Return the locked versions.

    Args:
        lock: The text of a package-lock.json.

    Returns:
        By package, with the package that brings its own where there are several.
    """
    packages = json.loads(lock)["packages"]
    return {
        " < ".join(reversed(path.removeprefix("node_modules/").split("/node_modules/"))): package["version"]
        for path, package in packages.items()
        if path
    }


def _locked(folder: Path) -> dict[str, str]:
    npm = shutil.which("npm")
    if not npm:
        raise NoAnswerError("npm is not on PATH")
    with tempfile.TemporaryDirectory() as name:
        for file in FILES:
            shutil.copy(folder / file, name)
        pinned: dict[str, str] = json.loads((folder / PACKAGE).read_text())["dependencies"]
        wanted = [f"{package}@^{version}" for package, version in pinned.items()]
        # What runs it is the image, not the Node of this machine.
        for command in (["install", "--save-exact", *wanted], ["update"]):
            _run([npm, *command, "--package-lock-only", "--engine-strict=false", "--no-progress"], Path(name))
        return {file: (Path(name) / file).read_text() for file in (PACKAGE, LOCK)}


def _run(command: list[str], folder: Path) -> None:
    try:
        run_lines(command, env=os.environ, timeout=SECONDS, cwd=folder)
    except CommandError as error:
        raise NoAnswerError(f"`npm {command[1]}` {error.reason}: {error.tail}") from None
