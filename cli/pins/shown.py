"""A proposal as it is shown: as a diff for people, as a document for programs."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from rich.text import Text

from cli.pins.proposal import Edit, Proposal

_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def diff(edit: Edit) -> Iterator[Text]:
    """Yield the lines of an edit's unified diff, coloured where there is a terminal.

    Args:
        edit: The edit; of one with a gist the versions are compared, a line each.
    """
    old, new = edit.gist or (edit.old, edit.new)
    context = 0 if edit.gist else 2
    names = (f"a/{edit.path}", f"b/{edit.path}")
    for line in difflib.unified_diff(old.splitlines(), new.splitlines(), *names, n=context, lineterm=""):
        bold = line.startswith(("--- ", "+++ "))
        yield Text(line, "bold" if bold else _STYLES.get(line[:1], ""))


def document(proposals: list[Proposal], *, applied: bool) -> dict[str, Any]:
    """Return proposals for a program.

    Args:
        proposals: What was proposed.
        applied: Whether it was written.
    """
    return {
        "applied": applied,
        "sources": [
            {
                "source": one.source,
                "failure": one.failure or None,
                "changes": [{"name": each.name, "pinned": each.pinned, "newer": each.newer} for each in one.changes],
                "files": [edit.path for edit in one.edits],
            }
            for one in proposals
        ],
    }
