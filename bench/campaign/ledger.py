"""What an environment may hold: all that was acknowledged, but what somebody agreed to lose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

DATABASE, ACCOUNTS, CACHE = "database", "accounts", "cache"
PARTS = (DATABASE, ACCOUNTS, CACHE)
IN_POSTGRES = (DATABASE, ACCOUNTS)
"""Parts that a backup holds."""


Values = frozenset[str]
NOTHING: Values = frozenset()


@dataclass
class Ledger:
    """What was written and acknowledged.

    A command that was killed leaves it open which of several contents a part has; the next look settles that.

    Args:
        held: What each part may hold.
        snapshots: What each part may hold in each snapshot, by its name; the oldest first.
        backups: What each part of the database may hold in each backup, by its file.
    """

    held: dict[str, set[Values]] = field(default_factory=lambda: {part: {NOTHING} for part in PARTS})
    snapshots: dict[str, dict[str, set[Values]]] = field(default_factory=dict)
    backups: dict[str, dict[str, set[Values]]] = field(default_factory=dict)

    def write(self, part: str, *values: str) -> None:
        """Note what a part has acknowledged."""
        self.held[part] = {one | {*values} for one in self.held[part]}

    def may_write(self, part: str, *values: str) -> None:
        """Note what a part may have taken in: a command was killed."""
        self.held[part] |= {one | {*values} for one in self.held[part]}

    def note_snapshots(self, names: Iterable[str]) -> list[str]:
        """Note the snapshots that there are; return those that are new, which hold what is held now."""
        new = [name for name in names if name not in self.snapshots]
        for name in new:
            self.snapshots[name] = {part: set(held) for part, held in self.held.items()}
        return new

    def note_backup(self, file: str) -> None:
        """Note that a backup was made."""
        self.backups[file] = {part: set(self.held[part]) for part in IN_POSTGRES}

    def destroyed(self) -> None:
        """Note that all was removed, as was agreed."""
        self.held = {part: {NOTHING} for part in PARTS}

    def may_be_destroyed(self) -> None:
        """Note that each part may have been removed, as was agreed: the command was killed after it took a snapshot."""
        for held in self.held.values():
            held.add(NOTHING)

    def replaced(self, by: dict[str, set[Values]]) -> None:
        """Note that a snapshot or a backup was put in the place of what was held."""
        self.held |= {part: set(held) for part, held in by.items()}

    def may_be_replaced(self, by: dict[str, set[Values]]) -> None:
        """Note that a snapshot or a backup may be in the place of what was held."""
        for part, held in by.items():
            self.held[part] |= held

    @property
    def must_keep(self) -> set[str]:
        """The parts that hold something, whatever a killed command came to."""
        return {part for part, held in self.held.items() if NOTHING not in held}

    def seen(self, part: str, values: Values) -> str:
        """Note what a part holds; return what is wrong with it, if anything."""
        possible = self.held[part]
        self.held[part] = {values}
        if values in possible:
            return ""
        nearest = min(possible, key=lambda one: len(one ^ values))
        missing, more = sorted(nearest - values), sorted(values - nearest)
        return f"the {part} lacks {missing}" if missing else f"the {part} has {more}, which it should not have"
