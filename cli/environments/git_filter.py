"""Keeps the encryption salt that Pulumi writes into `Pulumi.<stack>.yaml` out of git, and `git status` clean.

Every clone has a passphrase and so a salt of its own. A git filter drops the line on the way into git and puts it back
on the way out (gitattributes(5), filter); .gitattributes names the files that it is for.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from cli.core.git import git
from cli.environments.clone import Clone
from cli.environments.configuration import config_file, configured_stacks

PREFIX = "encryptionsalt:"
FILTER = "filter.dashtam-salt"
FOLDER = "dashtam-salts"
SMUDGE = f"""sh -c 'cat; cat "$(git rev-parse --git-dir)/{FOLDER}/$1" 2>/dev/null || true' -- %f"""


def keep_out_of_git(clone: Clone) -> None:
    """Make git ignore the salts of this clone's stacks, and nothing else of their config."""
    if not _set_filter(clone):
        return
    salts = _salts(clone)
    salts.mkdir(exist_ok=True, mode=0o700)
    for path in _configs(clone):
        salt = b"".join(line for line in path.read_bytes().splitlines(keepends=True) if _is_salt(line))
        known = salts / path.name
        if salt and (not known.exists() or known.read_bytes() != salt):
            known.write_bytes(salt)
            _note_unchanged(clone, path.name)


def forget(clone: Clone) -> None:
    """Drop the salts of this clone's stacks, so that Pulumi takes new ones for another passphrase."""
    is_git = _set_filter(clone)
    if is_git:
        shutil.rmtree(_salts(clone), ignore_errors=True)
    for path in _configs(clone):
        content = path.read_bytes()
        kept = b"".join(line for line in content.splitlines(keepends=True) if not _is_salt(line))
        if kept != content:
            path.write_bytes(kept)
            if is_git:
                _note_unchanged(clone, path.name)


def _is_salt(line: bytes) -> bool:
    # Bytes, since a config in another encoding is named by what reads it, and is no obstacle to other environments.
    return line.startswith(PREFIX.encode())


def _salts(clone: Clone) -> Path:
    # A folder for each worktree: they share the filter, but each has a passphrase of its own.
    return Path(git(clone.root, "rev-parse", "--absolute-git-dir").stdout.rstrip("\n")) / FOLDER


def _configs(clone: Clone) -> list[Path]:
    files = (config_file(stack, clone.root) for stack in configured_stacks(clone.root))
    return [one for one in files if not one.is_symlink()]


def _set_filter(clone: Clone) -> bool:
    settings = {"clean": f"sed /^{PREFIX}/d", "smudge": SMUDGE, "required": "true"}
    try:
        for name, value in settings.items():
            key = f"{FILTER}.{name}"
            if git(clone.root, "config", "--local", key).stdout.rstrip("\n") == value:
                continue
            if git(clone.root, "config", "--local", key, value).returncode != 0:
                return False
    except FileNotFoundError:
        return False
    return True


def _note_unchanged(clone: Clone, name: str) -> None:
    # git takes a file of another size for modified without looking inside. Where the filtered content is what is
    # committed or staged, adding it changes nothing but the size that git remembers.
    tracked = git(clone.root, "ls-files", "--error-unmatch", name).returncode == 0
    if tracked and git(clone.root, "diff", "--quiet", "--", name).returncode == 0:
        git(clone.root, "add", "--", name)
