"""Writing several files as one: all of them, or none."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cli.errors import UserError
from cli.pins.proposal import Edit


def write(root: Path, edits: Sequence[Edit]) -> None:
    """Write what was proposed.

    Every file is written whole beside its place first. Whatever ends the moment in which they take their places puts
    back what was there.

    Args:
        root: The project's root.
        edits: What to write.

    Raises:
        UserError: A file is no longer what the proposal was made from; nothing was written.
    """
    _require_unchanged(root, edits)
    drafts: list[tuple[Path, Path, Edit]] = []
    placed: list[tuple[Path, Edit]] = []
    try:
        for edit in edits:
            path = root / edit.path
            drafts.append((_draft(path, edit.new), path, edit))
        for draft, path, edit in drafts:
            placed.append((path, edit))
            draft.replace(path)
    except BaseException:
        for path, edit in placed:
            _draft(path, edit.old).replace(path)
        raise
    finally:
        for draft, _, _ in drafts:
            draft.unlink(missing_ok=True)


def _require_unchanged(root: Path, edits: Sequence[Edit]) -> None:
    for edit in edits:
        if (root / edit.path).read_text() != edit.old:
            raise UserError(
                f"{edit.path} was changed meanwhile; nothing was written.", remedy="Run the same command again."
            )


def _draft(path: Path, text: str) -> Path:
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as draft:
        draft.write(text)
    shutil.copymode(path, draft.name)
    return Path(draft.name)
