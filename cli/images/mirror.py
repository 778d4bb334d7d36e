"""The Debian mirror that this machine is set up for."""

from __future__ import annotations

import shutil
import subprocess

DEFAULT = ""
"""Debootstrap's own choice."""

_FORMAT = "$(REPO_URI) $(ORIGIN) $(LABEL) $(COMPONENT)"


def mirrors() -> list[str]:
    """Return the mirrors to try, in order."""
    if not shutil.which("apt-get"):
        return [DEFAULT]
    command = ["apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages"]
    known = subprocess.run(command, capture_output=True, text=True, check=False)
    return [*configured(known.stdout), DEFAULT]


def configured(targets: str) -> list[str]:
    """Pick the mirror from what the package manager knows."""
    rows = (line.split() for line in targets.splitlines())
    found = [
        row[0].rstrip("/") for row in rows if row[1:] == ["Debian", "Debian", "main"] and row[0].startswith("http://")
    ]
    return found[:1]
