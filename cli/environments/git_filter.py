"""Keeps the encryption salt that Pulumi writes into `Pulumi.<stack>.yaml` out of git, and `git status` clean.

Every clone has a passphrase and so a salt of its own. A git filter drops the line on the way into git and puts it back
on the way out (gitattributes(5), filter); .gitattributes names the files that it is for.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

from cli.core.atomic_files import replacing
from cli.core.git import git
from cli.environments.clone import Clone
from cli.environments.configuration import config_file, configured_stacks

PREFIX = "encryptionsalt:"
FILTER = "filter.dashtam-salt"
FOLDER = "dashtam-salts"
_SALT = f'"$(git rev-parse --git-dir)/{FOLDER}/$(printf %s "$1" | tr / _)"'
SMUDGE = f"""sh -c 'if [ -f {_SALT} ]; then awk 1; cat {_SALT}; else cat; fi' -- %f"""
"""Appends a config's salt, after a newline where the last line has none. git gives the path from its top folder, and
shows a config for modified that was committed without that newline."""


def keep_out_of_git(clone: Clone) -> None:
    """Make git ignore the salts of this clone's stacks, and nothing else of their config."""
    found = _set_filter(clone)
    if found is None:
        return
    salts, prefix = found
    salts.mkdir(exist_ok=True, mode=0o700)
    configs = _configs(clone)
    for path in configs:
        salt = b"".join(line for line in path.read_bytes().splitlines(keepends=True) if _is_salt(line))
        known = salts / f"{prefix}{path.name}"
        if salt and (not known.exists() or known.read_bytes() != salt):
            known.write_bytes(salt)
    _note_unchanged(clone, configs)


def forget(clone: Clone) -> None:
    """Drop the salts of this clone's stacks, so that Pulumi takes new ones for another passphrase."""
    found = _set_filter(clone)
    if found:
        shutil.rmtree(found[0], ignore_errors=True)
    configs = _configs(clone)
    for path in configs:
        content = path.read_bytes()
        kept = b"".join(line for line in content.splitlines(keepends=True) if not _is_salt(line))
        if kept != content:
            with replacing(path) as file:
                file.write(kept)
    if found:
        _note_unchanged(clone, configs)


def _is_salt(line: bytes) -> bool:
    # Bytes, since a config in another encoding is named by what reads it, and is no obstacle to other environments.
    return line.startswith(PREFIX.encode())


def _configs(clone: Clone) -> list[Path]:
    files = (config_file(stack, clone.root) for stack in configured_stacks(clone.root))
    return [one for one in files if not one.is_symlink()]


def _set_filter(clone: Clone) -> tuple[Path, str] | None:
    """Make git filter the configs; return the folder for this worktree's salts, and how their files' names begin.

    None where git can't be used.
    """
    settings = {"clean": f"sed /^{PREFIX}/d", "smudge": SMUDGE, "required": "true"}
    for name, value in settings.items():
        key = f"{FILTER}.{name}"
        known = git(clone.root, "config", "--local", key) or ""
        if known.rstrip("\n") != value and git(clone.root, "config", "--local", key, value) is None:
            return None
    # A folder for each worktree: they share the filter, but each has a passphrase of its own.
    found = git(clone.root, "rev-parse", "--absolute-git-dir", "--show-prefix")
    if not found:
        return None
    folder, prefix, *_ = found.split("\n")
    return Path(folder) / FOLDER, prefix.replace("/", "_")


def _note_unchanged(clone: Clone, configs: Collection[Path]) -> None:
    # git takes a file of another size for modified without looking inside. Where the filtered content is what is
    # committed or staged, adding it changes nothing but the size that git remembers.
    for name in (git(clone.root, "diff-files", "--name-only", "--relative") or "").splitlines():
        if clone.root / name in configs and git(clone.root, "diff", "--quiet", "--", name) is not None:
            git(clone.root, "add", "--", name)
