"""The marker by which a checkout knows which clone of this project it is, read by the program and by the commands.

It is in git's own folder of the checkout, where `git clean -dx` doesn't find it. That folder is found without git,
which refuses to look at a checkout of another user, and follows GIT_DIR to any other one.

A repository may hold several copies of the project in folders of its own: each has a marker below the path that it has
there. A marker of a copy that is gone is that of a renamed one, if it is the only one that it can be.
"""

from __future__ import annotations

import os
from pathlib import Path

MARKER = "dashtam-clone"
PLACEMENTS = "placements.json"
"""The record of where its stacks are put, in the folder of a clone."""
_COPIES = Path("dashtam-clones")
"""The folder in git's own with the markers of copies below the top of a repository."""
_LINK = "gitdir: "


def marker(root: Path) -> Path:
    """Return the file to which a checkout's identity is written."""
    plain, top = root / f".{MARKER}", _top(root)
    if top is None or plain.exists():
        return plain
    return folder_of_markers(root) / (MARKER if top == root else _COPIES / root.relative_to(top) / MARKER)


def folder_of_markers(root: Path) -> Path:
    """Return the folder of the marker and those of other copies: git's own, where there is git; it may be missing."""
    top = _top(root)
    return root if top is None else _folder(top / ".git")


def candidates(root: Path) -> list[Path]:
    """Return the markers that may be a checkout's: its own, or else those that no copy in its repository has."""
    own, top = marker(root), _top(root)
    if top is None or top == root:
        return [own]
    if not _is_project(root):  # a copy that was renamed or deleted
        return []
    if own.exists():
        return [own]
    markers = folder_of_markers(root)
    copies = markers / _COPIES
    left = [one for one in sorted(copies.rglob(MARKER)) if not _is_project(top / one.parent.relative_to(copies))]
    former = markers / MARKER  # an earlier version had one for all copies
    return left if _is_project(top) or not former.exists() else [former, *left]


def read(root: Path) -> str:
    """Return a checkout's identity; empty where nothing has been done in it yet."""
    return _lines(root)[0]


def home(root: Path) -> str:
    """Return the data home in which its state is kept; empty where that isn't known."""
    return _lines(root)[1]


def folder(identity: str, data_home: Path) -> Path:
    """Return the folder, outside the checkout, in which a clone keeps state and records."""
    return data_home / "clones" / identity


def write(root: Path, identity: str, data_home: Path) -> None:
    """Give a checkout its identity, and take it from where it had it before it was renamed."""
    path = marker(root)
    former = [one for one in candidates(root) if one != path and _read(one)[0] == identity]
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(f"{identity}\n{data_home}\n")
    draft.replace(path)  # nobody may read half of it, and take this for a checkout without an identity
    for one in former:
        one.unlink(missing_ok=True)


def _lines(root: Path) -> list[str]:
    found = candidates(root)
    return _read(found[0]) if len(found) == 1 else ["", ""]


def _read(path: Path) -> list[str]:
    try:
        return [*path.read_text().splitlines(), "", ""]
    except FileNotFoundError:
        return ["", ""]


def _top(root: Path) -> Path | None:
    return next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)


def _is_project(folder: Path) -> bool:
    return (folder / "Pulumi.yaml").exists()


def _folder(git: Path) -> Path:
    """Follow the file that a worktree and a submodule have instead of a folder; see gitrepository-layout(5)."""
    if git.is_dir():
        return git
    return git.parent / git.read_text().strip().removeprefix(_LINK)
