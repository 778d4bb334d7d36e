"""What an environment may hold: all that was acknowledged, but what somebody agreed to lose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

DATABASE, ACCOUNTS, CACHE = "database", "accounts", "cache"
PARTS = (DATABASE, ACCOUNTS, CACHE)
IN_POSTGRES = (DATABASE, ACCOUNTS)
"""Parts that a backup holds."""

Values = frozenset[str]
Contents = dict[str, set[Values]]
"""What each part may hold."""

NOTHING: Values = frozenset()


def _empty() -> Contents:
    return {part: {NOTHING} for part in PARTS}


@dataclass
class Ledger:
    """What was written and acknowledged.

    Args:
        held: What each part may hold now: more than one content only until somebody looks.
        open: What each part may come to hold until the next update ends, since a command was killed.
        snapshots: What each part may hold in each snapshot, by its name; the oldest first.
        backups: What each part of the database may hold in each backup, by its file.
    """

    held: Contents = field(default_factory=_empty)
    open: Contents = field(default_factory=dict)
    snapshots: dict[str, Contents] = field(default_factory=dict)
    backups: dict[str, Contents] = field(default_factory=dict)

    def write(self, part: str, *values: str) -> None:
        """Note what a part has acknowledged, which no end of an earlier command may take away."""
        self.held[part] = {one | {*values} for one in self.held[part]}
        self.open.pop(part, None)

    def may_write(self, part: str, *values: str) -> None:
        """Note what a part may have taken in: a command was killed."""
        self._may(part, {one | {*values} for one in self.held[part]})

    def note_snapshots(self, names: Iterable[str]) -> list[str]:
        """Note the snapshots that there are; return those that are new, which hold what is held now."""
        new = [name for name in names if name not in self.snapshots]
        for name in new:
            self.snapshots[name] = {part: self._possible(part) for part in PARTS}
        return new

    def note_backup(self, file: str) -> None:
        """Note that a backup was made."""
        self.backups[file] = {part: self._possible(part) for part in IN_POSTGRES}

    def destroyed(self) -> None:
        """Note that all was removed, as was agreed."""
        self.replaced(_empty())

    def may_be_destroyed(self) -> None:
        """Note that each part may have been removed, as was agreed: the command was killed after it took a snapshot."""
        self.may_be_replaced(_empty())

    def replaced(self, by: Contents) -> None:
        """Note that a snapshot or a backup was put in the place of what was held."""
        for part, held in by.items():
            self.held[part] = set(held)
            self.open.pop(part, None)

    def may_be_replaced(self, by: Contents) -> None:
        """Note that a snapshot or a backup may be, or come, in the place of what was held."""
        for part, held in by.items():
            self._may(part, held)

    @property
    def must_keep(self) -> set[str]:
        """The parts that hold something, whatever a killed command comes to."""
        return {part for part in PARTS if NOTHING not in self._possible(part)}

    def seen(self, part: str, values: Values) -> str:
        """Note what a part holds; return what is wrong with it, if anything."""
        possible = self._possible(part)
        self.held[part] = {values}
        if values in possible:
            return ""
        nearest = min(possible, key=lambda one: len(one ^ values))
        missing, more = sorted(nearest - values), sorted(values - nearest)
        return f"the {part} lacks {missing}" if missing else f"the {part} has {more}, which it should not have"

    def settled(self) -> None:
        """Note that an update has ended, and with it whatever a killed command had begun."""
        self.open.clear()

    def _may(self, part: str, held: set[Values]) -> None:
        self.open[part] = self.open.get(part, set()) | held

    def _possible(self, part: str) -> set[Values]:
        return self.held[part] | self.open.get(part, set())
