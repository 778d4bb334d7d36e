"""The marker by which a checkout knows which clone of this project it is, read by the program and by the commands.

It is in git's own folder of the checkout, where `git clean -dx` doesn't find it. That folder is found without git,
which refuses to look at a checkout of another user, and follows GIT_DIR to any other one.
"""

from __future__ import annotations

import os
from pathlib import Path

MARKER = "dashtam-clone"
PLACEMENTS = "placements.json"
"""The record of where its stacks are put, in the folder of a clone."""
_LINK = "gitdir: "


def marker(root: Path) -> Path:
    """Return the file with a checkout's identity, which exists if `read` finds one."""
    plain = root / f".{MARKER}"
    git = next((folder / ".git" for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    return plain if git is None or plain.exists() else _folder(git) / MARKER


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
    """Give a checkout its identity."""
    path = marker(root)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(f"{identity}\n{data_home}\n")
    draft.replace(path)  # nobody may read half of it, and take this for a checkout without an identity


def _lines(root: Path) -> list[str]:
    try:
        return [*marker(root).read_text().splitlines(), "", ""]
    except FileNotFoundError:
        return ["", ""]


def _folder(git: Path) -> Path:
    """Follow the file that a worktree and a submodule have instead of a folder; see gitrepository-layout(5)."""
    if git.is_dir():
        return git
    return git.parent / git.read_text().strip().removeprefix(_LINK)
