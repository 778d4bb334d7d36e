"""How far a restore has come, noted outside the volumes: the next command knows whether to undo it or to finish it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from cli.core import atomic_files
from cli.core.errors import UserError
from cli.data.encryption import Sealed
from cli.data.snapshots.helper import Part
from cli.environments.clone import Clone


class Phase(StrEnum):
    """How far it is."""

    STAGING = "staging"
    """The new data is brought beside the old; nothing else was touched."""
    SWITCHING = "switching"
    """The new data is complete and takes the old one's place; there is no way back."""
    KEYS = "keys"
    """The new data is in its place; the next update is to install the session key that belongs to it."""
    DATABASE = "database"
    """A backup, not a snapshot: the server has the restored database beside the old one, or in its place."""


class Entry(BaseModel):
    """A restore that is under way, or was when its command was killed.

    Args:
        format: The version of this form, and of what it says of the volumes; never assumed.
        snapshot: What is restored.
        phase: How far it is.
        parts: Whose data; none where it is a backup.
        session_key: Of the data, where the environment has another one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[2]
    snapshot: str
    phase: Phase
    parts: tuple[Part, ...]
    session_key: Sealed | None = None


@dataclass(frozen=True)
class Journal:
    """The journal of an environment.

    Args:
        path: Its file, which is there while a restore is under way.
    """

    path: Path

    def read(self) -> Entry | None:
        """Return the restore that is under way, if one is.

        Raises:
            UserError: Another version of this tool noted it.
        """
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
        """Note how far a restore is; it is on the disk when this returns.

        Args:
            entry: The restore.
        """
        atomic_files.private_folder(self.path.parent)
        with atomic_files.replacing(self.path, atomic_files.PRIVATE) as file:
            file.write(entry.model_dump_json().encode())

    def clear(self) -> None:
        """Note that no restore is under way."""
        if self.path.exists():
            self.path.unlink()
            atomic_files.sync(self.path.parent)


def of(clone: Clone, stack: str) -> Journal:
    """Return an environment's journal.

    Args:
        clone: This clone.
        stack: The environment.
    """
    return Journal(clone.home / "restoring" / f"{stack}.json")
