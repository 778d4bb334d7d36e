"""An environment's snapshots on the disk: one folder per snapshot, which is complete once it has its name."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.filesize import decimal

from cli.core import atomic_files
from cli.core.errors import UsageError, UserError
from cli.data.snapshots import manifest
from cli.data.snapshots.manifest import Manifest
from cli.environments import environment_lock
from cli.environments.clone import Clone

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")

RESERVE = 64 << 20
"""Bytes that must stay free."""


@dataclass(frozen=True)
class Summary:
    """A snapshot in a list; one with damage has nothing but its name and path."""

    name: str
    path: str
    created_at: str | None = None
    bytes: int | None = None
    postgres: str | None = None
    damage: str | None = None


@dataclass(frozen=True)
class Store:
    """An environment's snapshots, in a folder that has the environment's name."""

    folder: Path

    def path(self, name: str) -> Path:
        """Return the folder of a snapshot."""
        return self.folder / name

    def names(self) -> list[str]:
        """Return the snapshots' names, the oldest first."""
        found = [one for one in self.folder.iterdir() if _is_name(one.name)] if self.folder.exists() else []
        return [one.name for one in sorted(found, key=lambda one: (one.stat().st_mtime, one.name))]

    def read(self, name: str) -> Manifest:
        """Return a snapshot's manifest; a UserError if there is no such snapshot, or if it is damaged."""
        self.require(name)
        return manifest.read(self.path(name))

    def summary(self, name: str) -> Summary:
        """Return what there is to know of a snapshot, which may be damaged, without reading its data."""
        path = str(self.path(name))
        try:
            made = self.read(name)
        except UserError as error:
            return Summary(name, path, damage=error.cause)
        return Summary(name, path, made.created.isoformat(timespec="seconds"), made.size, made.postgres)

    def summaries(self) -> list[Summary]:
        """Return what there is to know of each snapshot, the oldest first."""
        return [self.summary(name) for name in self.names()]

    def require(self, name: str) -> None:
        """Make sure that there is a snapshot of a name; it may be damaged."""
        if not _is_name(name) or not self.path(name).is_dir():
            known = ", ".join(self.names())
            raise UsageError(
                f"{self.folder.name} has no snapshot {name!r}.",
                cause=f"There are: {known}." if known else "It has none.",
                remedy=f"See `./dashtam snapshot list {self.folder.name}`.",
            )

    def fresh_name(self, requested: str | None) -> str:
        """Return the name for a new snapshot: the requested one, which must be valid and free, or one from the time."""
        if requested is None:
            base = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
            tries = (base, *(f"{base}-{count}" for count in range(2, 100)))
            return next(name for name in tries if not self.path(name).exists())
        if not _is_name(requested):
            raise UsageError(
                f"{requested!r} can't be a snapshot's name.",
                cause="It becomes a folder's name.",
                remedy="Use 1 to 64 letters, digits, and inner dots, hyphens and underscores.",
            )
        if self.path(requested).exists():
            raise UsageError(
                f"{self.folder.name} has a snapshot {requested!r} already.",
                remedy=f"Choose another name, or `./dashtam snapshot delete {self.folder.name} {requested}` first.",
            )
        return requested

    @contextmanager
    def draft(self, name: str) -> Iterator[Path]:
        """Make a folder for a snapshot's files, which gets its name if the block ends well, else is removed."""
        draft = atomic_files.private_folder(self.folder) / f".draft-{secrets.token_hex(4)}"
        try:
            with atomic_files.explain_full_disk(self.folder, "a snapshot"):
                draft.mkdir(mode=0o700)
                yield draft
                for one in (*draft.iterdir(), draft):
                    atomic_files.sync(one)
                atomic_files.rename(draft, self.path(name))
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def delete(self, name: str) -> None:
        """Remove a snapshot, which may be damaged."""
        self.require(name)
        deleted = self.folder / f".gone-{secrets.token_hex(4)}"
        atomic_files.rename(self.path(name), deleted)
        shutil.rmtree(deleted)

    def sweep(self) -> None:
        """Remove the drafts of killed commands; only while no other command can be at work."""
        for pattern in (".draft-*", ".gone-*"):
            for left in self.folder.glob(pattern):
                shutil.rmtree(left)

    def require_space(self, size: int) -> None:
        """Make sure that a snapshot of so many bytes fits."""
        free = shutil.disk_usage(atomic_files.private_folder(self.folder)).free
        if free < size + RESERVE:
            raise UserError(
                "There is not enough room for a snapshot; nothing was changed.",
                cause=f"It needs {decimal(size + RESERVE)}, and {self.folder} has {decimal(free)} free.",
                remedy=f"Make room, for one with `./dashtam snapshot delete {self.folder.name} NAME`.",
            )


def of(clone: Clone, stack: str) -> Store:
    """Return an environment's snapshots."""
    return Store(clone.home / "snapshots" / stack)


def environments(clone: Clone) -> list[str]:
    """Return the environments that have snapshots, sorted; some may have been removed."""
    return sorted(folder.name for folder in (clone.home / "snapshots").glob("*/") if Store(folder).names())


def delete(clone: Clone, stack: str, name: str) -> None:
    """Remove a snapshot while no other command uses it."""
    with environment_lock.held(clone, stack):
        of(clone, stack).delete(name)


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None
