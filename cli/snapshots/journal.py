"""How far a restore has come, noted outside the volumes: the next command knows whether to undo it or to finish it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from cli.clone import Clone
from cli.snapshots import durable
from cli.snapshots.helper import Part


class Phase(StrEnum):
    """How far it is."""

    STAGING = "staging"
    """The new data is brought beside the old; nothing else was touched."""
    SWITCHING = "switching"
    """The new data is complete and takes the old one's place; there is no way back."""


class Entry(BaseModel):
    """A restore that is under way, or was when its command was killed.

    Args:
        snapshot: What is restored.
        phase: How far it is.
        parts: Whose data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    snapshot: str
    phase: Phase
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Journal:
    """The journal of an environment.

    Args:
        path: Its file, which is there while a restore is under way.
    """

    path: Path

    def read(self) -> Entry | None:
        """Return the restore that is under way, if one is."""
        return Entry.model_validate_json(self.path.read_bytes()) if self.path.exists() else None

    def write(self, entry: Entry) -> None:
        """Note how far a restore is; it is on the disk when this returns.

        Args:
            entry: The restore.
        """
        durable.folder(self.path.parent)
        with durable.replaced(self.path) as file:
            file.write(entry.model_dump_json().encode())

    def clear(self) -> None:
        """Note that no restore is under way."""
        if self.path.exists():
            self.path.unlink()
            durable.sync(self.path.parent)


def of(clone: Clone, stack: str) -> Journal:
    """Return an environment's journal.

    Args:
        clone: This clone.
        stack: The environment.
    """
    return Journal(clone.home / "restoring" / f"{stack}.json")
