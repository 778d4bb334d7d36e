"""The journal of a restore: its phase is recorded outside the volumes, so that the next command can finish or undo it.

| phase | state of the data | what the next command does |
|---|---|---|
| `STAGING` | a snapshot is copied beside the old data; nothing else is touched | deletes the copy |
| `SWAPPING` | the copy is complete and takes the old data's place | finishes the swap |
| `SESSION_KEY` | the new data is in place; its session key isn't installed | the next `up` installs it |
| `DATABASE` | a backup is beside the old database on the server, or in its place | `backups.acceptance` decides |

`operations.finish_restore` does this.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from cli.core import atomic_files
from cli.core.errors import UserError
from cli.data.sealed_secrets import Sealed
from cli.data.snapshots.helper import Part
from cli.environments.clone import Clone


class Phase(StrEnum):
    """How far a restore is; the values are in the files of interrupted restores and never change."""

    STAGING = "staging"
    SWAPPING = "switching"
    SESSION_KEY = "keys"
    DATABASE = "database"


class Entry(BaseModel, frozen=True, extra="forbid"):
    """A restore in progress, or one that was interrupted.

    The format also covers the names that a restore uses in the volumes. A backup has no parts. The session key is that
    of the data, if the environment has another one; the former entry is valid again if this restore is undone.
    """

    format: Literal[2]
    snapshot: str
    phase: Phase
    parts: tuple[Part, ...]
    session_key: Sealed | None = None
    former: Entry | None = None


@dataclass(frozen=True)
class Journal:
    """An environment's journal; its file exists while a restore is in progress."""

    path: Path

    def read(self) -> Entry | None:
        """Return the restore in progress; a UserError if another version of this tool began it."""
        try:
            return Entry.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError:
            raise UserError(
                f"A restore of {self.path.stem} was interrupted, and another version of this tool began it.",
                cause=f"{self.path} has a format that this version does not support.",
                remedy=f"Finish it with the version that began it: `./dashtam up {self.path.stem}`.",
            ) from None

    def write(self, entry: Entry) -> None:
        """Record a restore's phase; it is on the disk when this returns."""
        atomic_files.private_folder(self.path.parent)
        with atomic_files.replacing(self.path, atomic_files.PRIVATE) as file:
            file.write(entry.model_dump_json(exclude_none=True).encode())

    def clear(self) -> None:
        """Record that no restore is in progress."""
        if self.path.exists():
            self.path.unlink()
            atomic_files.sync(self.path.parent)


def of(clone: Clone, stack: str) -> Journal:
    """Return an environment's journal."""
    return Journal(clone.home / "restoring" / f"{stack}.json")
