"""What is newer at one source, and what the files would say."""

from __future__ import annotations

from dataclasses import dataclass


class NoAnswerError(Exception):
    """A source doesn't tell what is newer; the text says why, as a phrase."""


@dataclass(frozen=True)
class Change:
    """One thing that is newer.

    Args:
        name: What.
        pinned: The version now; empty for what comes along newly.
        newer: The version then; empty for what is no longer needed.
    """

    name: str
    pinned: str
    newer: str


@dataclass(frozen=True)
class Edit:
    """A file as it is and as it would be.

    Args:
        path: Its path from the project's root.
        old: Its text now.
        new: Its text then.
        gist: Both in short where they are made to be read by programs, a line a version; else nothing.
    """

    path: str
    old: str
    new: str
    gist: tuple[str, str] | None = None


@dataclass(frozen=True)
class Proposal:
    """What a source proposes.

    Args:
        source: What was asked for.
        changes: What is newer; nothing where all is the newest that fits.
        edits: What would be written.
        failure: Why the source didn't answer; empty where it did.
    """

    source: str
    changes: tuple[Change, ...] = ()
    edits: tuple[Edit, ...] = ()
    failure: str = ""


def changed(before: dict[str, str], after: dict[str, str]) -> tuple[Change, ...]:
    """Compare versions by name.

    Args:
        before: The versions now.
        after: The versions then.

    Returns:
        What differs, by name.
    """
    names = sorted(before.keys() | after.keys())
    compared = (Change(name, before.get(name, ""), after.get(name, "")) for name in names)
    return tuple(change for change in compared if change.pinned != change.newer)


def gist(changes: tuple[Change, ...]) -> tuple[str, str]:
    """Return the versions that change, as lines before and after."""
    before = "".join(f"{one.name} {one.pinned}\n" for one in changes if one.pinned)
    return before, "".join(f"{one.name} {one.newer}\n" for one in changes if one.newer)
