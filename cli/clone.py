"""Which clone this is: its identity, which outlives a move and `git clean`, and where its state is kept."""

from __future__ import annotations

import json
import secrets
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from cli.errors import UserError
from cli.paths import ROOT, data_home
from infra.identity import marker, read
from infra.naming import PROJECT

_ID_BYTES = 5


@dataclass(frozen=True)
class Clone:
    """A checkout of the project.

    Args:
        id: Ten hexadecimal digits, random; the owner in labels.
        root: The checkout.
        home: Where its Pulumi state and passphrase are kept, outside the checkout.
    """

    id: str
    root: Path
    home: Path

    @property
    def passphrase_file(self) -> Path:
        """The passphrase of this clone's stacks."""
        return self.home / "passphrase"

    @property
    def state_folder(self) -> Path:
        """Where Pulumi keeps the state of this clone's stacks, unless the user chose another backend."""
        return self.home / "state"

    @property
    def has_lost_passphrase(self) -> bool:
        """Whether there is state whose secrets only a passphrase can read that isn't there any more."""
        return not self.passphrase_file.exists() and self.has_any_state

    @property
    def has_any_state(self) -> bool:
        """Whether this clone's own backend knows any stack."""
        return any(self.state_folder.glob(".pulumi/stacks/*/*.json"))

    @property
    def placements_file(self) -> Path:
        """Where its stacks are put that aren't as their config says; see `infra.placement`."""
        return self.home / "placements.json"

    @property
    def backend_url(self) -> str:
        """Pulumi's state backend of this clone."""
        return self.state_folder.as_uri()

    def has_state(self, stack: str) -> bool:
        """Return whether this clone's own backend knows a stack; Pulumi itself is slower to ask."""
        return (self.state_folder / ".pulumi/stacks" / PROJECT / f"{stack}.json").exists()


def current(root: Path = ROOT) -> Clone:
    """Return this clone, with its state folder and its passphrase made if they weren't.

    A passphrase that is lost is not made anew, since most commands can do without: see `cli.passphrase`. A copy of a
    checkout (`cp -r`) gets an identity of its own; a moved checkout keeps the one it had.

    Args:
        root: The checkout.

    Returns:
        The clone.
    """
    clone = find(root)
    if clone is None:
        data_home().mkdir(parents=True, exist_ok=True, mode=0o700)
        # Of two first commands at the same time, one would go on under an identity that the other has replaced.
        with FileLock(data_home() / "clones.lock"):
            clone = find(root) or _identify(root)
    _prepare(clone)
    return clone


def find(root: Path = ROOT) -> Clone | None:
    """Return this clone if it has an identity, changing nothing.

    Args:
        root: The checkout.

    Returns:
        The clone, or None where nothing has been done in it yet.
    """
    identity = read(root)
    return _clone(identity, root) if identity and not _belongs_elsewhere(identity, root) else None


def known(identity: str) -> Clone | None:
    """Return any clone of this user on this machine.

    Args:
        identity: Its id, as labels have it.

    Returns:
        The clone as it recorded itself, or None where nothing is known of it here.
    """
    try:
        return _clone(identity, Path(json.loads(_record(identity).read_text())["root"]))
    except (OSError, ValueError, KeyError):
        return None


def others(here: Clone) -> Iterator[Clone]:
    """Find this user's other clones.

    Args:
        here: This clone.

    Yields:
        Every other one that is still where it was last used and has placed a stack.
    """
    for file in sorted((data_home() / "clones").glob("*/placements.json")):
        other = known(file.parent.name)
        if other and other.id != here.id and _holds(other.root, other.id):
            yield other


def _identify(root: Path) -> Clone:
    identity, file = secrets.token_hex(_ID_BYTES), marker(root)
    if not file.parent.is_dir():
        raise UserError(
            f"{root} is a worktree of a repository that isn't there any more.",
            cause=f"git's folder for it, {file.parent}, does not exist.",
            remedy=f"If the repository was moved, run in it: git worktree repair {shlex.quote(str(root))}",
        )
    file.write_text(f"{identity}\n")
    return _clone(identity, root)


def _holds(root: Path, identity: str) -> bool:
    return read(root) == identity


def _clone(identity: str, root: Path) -> Clone:
    return Clone(identity, root, data_home() / "clones" / identity)


def _record(identity: str) -> Path:
    return data_home() / "clones" / identity / "clone.json"


def _belongs_elsewhere(identity: str, root: Path) -> bool:
    other = known(identity)
    return other is not None and other.root != root and _holds(other.root, identity)


def _prepare(clone: Clone) -> None:
    clone.state_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    record = _record(clone.id)
    content = json.dumps({"root": str(clone.root)}) + "\n"
    if not record.exists() or record.read_text() != content:
        record.write_text(content)
    if not clone.passphrase_file.exists() and not clone.has_lost_passphrase:
        _make_passphrase(clone.passphrase_file)


def _make_passphrase(path: Path) -> None:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(32))
    try:
        # A link fails where another process was first, so that both use the same one.
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
