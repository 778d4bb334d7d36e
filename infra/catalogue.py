"""Which images exist: the official ones by exact tag, and those built from Debian packages.

Pure, with no import of Pulumi: shared by the program, which runs them, and the operator commands, which get them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "images"
LOCK = IMAGES / "lock.json"
"""Digests of the official images, recorded by `./dashtam images lock` on a machine that reaches a registry."""

SOURCE_VARIABLE = "DASHTAM_IMAGE_SOURCE"
"""The environment variable, set by `./dashtam env`, with the source of this machine's images."""

NOT_SOURCE = ("__pycache__", "*.py[cod]", ".*", "*~", "#*#", "*.swp", "*.tmp", "4913")
"""Names of what Python, editors and file managers leave beside source: `.dockerignore` and `app.run.reload` have the
same."""


class ImageSource(StrEnum):
    """Where a machine's base images come from."""

    REGISTRY = "registry"
    DEBIAN = "debian"


@dataclass(frozen=True)
class Base:
    """A base image in both of its forms."""

    name: str
    """Its name here, and the folder under `images/` that builds it."""
    official: str
    """The official image's reference, pinned by exact tag."""
    user: str
    """`uid:gid` of the service in either form, so that files installed for it fit both."""
    data: str = ""
    """The folder that either form declares a volume; empty if there is none."""

    def reference(self, source: ImageSource) -> str:
        """Return the official tag, with its digest if one is recorded; or the name of the image built on this machine.

        The tag of the latter follows from the content of what it is built from.
        """
        if source is ImageSource.REGISTRY:
            digest = locked_digests().get(self.official)
            return f"{self.official}@{digest}" if digest else self.official
        return f"dashtam-debian/{self.name}:{source_digest(IMAGES / 'base', IMAGES / self.name)[:12]}"


POSTGRES = Base("postgres", "postgres:17.6-alpine3.22", "70:70", "/var/lib/postgresql/data")
REDIS = Base("redis", "redis:8.2.1-alpine3.22", "999:1000", "/data")
PYTHON = Base("python", "python:3.13.7-slim-trixie", "10001:10001")
NODE = Base("node", "node:24.20.0-trixie-slim", "10001:10001")
BASES = (POSTGRES, REDIS, PYTHON, NODE)
"""What every environment needs."""

HAPROXY = Base("haproxy", "haproxy:3.2.4-alpine3.22", "99:99")
ALL = (*BASES, HAPROXY)
"""With what only an environment on a Swarm needs."""


def locked_digests() -> dict[str, str]:
    """Return the recorded digests, `sha256:...` by official reference."""
    return dict(json.loads(LOCK.read_text())) if LOCK.exists() else {}


def source_digest(*folders: Path) -> str:
    """Return the SHA-256 of names, content and executable bits in folders and files; missing ones count as empty."""
    digest = hashlib.sha256()
    for top in folders:
        for path in sorted(source_paths(top)) if top.is_dir() else [top]:
            with suppress(FileNotFoundError):  # an editor may be putting another one in its place
                if path.is_file():
                    content = hashlib.sha256(path.read_bytes()).hexdigest()
                    executable = path.stat().st_mode & 0o100
                    digest.update(f"{path.relative_to(top.parent).as_posix()}\0{executable:o}\0{content}\n".encode())
    return digest.hexdigest()


def source_paths(top: Path) -> Iterator[Path]:
    """Yield the files and folders in a folder and those below it that are source, in no order."""
    for folder, folders, files in os.walk(top):
        folders[:] = filter(is_source, folders)
        yield from (Path(folder, name) for name in (*folders, *filter(is_source, files)))


def is_source(name: str) -> bool:
    """Return whether a file or folder of that name in a folder of source is source itself."""
    return not any(fnmatchcase(name, pattern) for pattern in NOT_SOURCE)
