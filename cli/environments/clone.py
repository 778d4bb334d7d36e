"""Which clone this is: its identity, which outlives a move and `git clean`, and where its state is kept."""

from __future__ import annotations

import json
import os
import secrets
import shlex
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cli.core.atomic_files import create_private, sync, write_whole
from cli.core.errors import UserError
from cli.core.paths import ROOT, data_home
from cli.pulumi.backend import Folder
from cli.ui.file_lock import exclusively
from infra import identity

_ID_BYTES = 5


@dataclass(frozen=True)
class Clone:
    """A checkout of the project; its id, ten random hexadecimal digits, is the owner in labels."""

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
        return self.backend.has_any_state

    @property
    def placements_file(self) -> Path:
        """Where its stacks are put that aren't as their config says; see `infra.config.placement`."""
        return self.home / identity.PLACEMENTS

    @property
    def backend_url(self) -> str:
        """Pulumi's state backend of this clone."""
        return self.state_folder.as_uri()

    @property
    def backend(self) -> Folder:
        """The files of that backend."""
        return Folder(self.state_folder / ".pulumi")


def current(root: Path = ROOT) -> Clone:
    """Return this clone, with its state folder and its passphrase made if they weren't.

    A lost passphrase is not made again, since most commands can do without: see `cli.environments.passphrase`.
    A copy of a checkout (`cp -r`) gets an identity of its own; a moved checkout keeps the one it had.
    """
    clone = find(root)
    if clone is None:
        data_home().mkdir(parents=True, exist_ok=True, mode=0o700)
        # Of two first commands at the same time, one would go on under an identity that the other has replaced.
        with exclusively(data_home() / "clones.lock"):
            clone = find(root) or _identify(root)
    require_here(clone)
    home = unseen_home(clone) or str(data_home())
    if identity.home(clone.root) != home or not identity.marker(clone.root).exists():
        identity.write(clone.root, clone.id, Path(home))  # the program finds the clone's record of placements by it
    _prepare(clone)
    return clone


def find(root: Path = ROOT) -> Clone | None:
    """Return this clone, changing nothing; None where nothing has been done in it yet."""
    name = identity.read(root)
    return _clone(name, root) if name and not _belongs_elsewhere(name, root) else None


def known(name: str) -> Clone | None:
    """Return any clone of this user by its id, as it recorded itself; None where nothing is known of it here."""
    try:
        return _clone(name, Path(json.loads(_record(name).read_text())["root"]))
    except (OSError, ValueError, KeyError):
        return None


def others(here: Clone) -> Iterator[Clone]:
    """Yield this user's other clones that are still where they were last used and have placed a stack."""
    for file in sorted((data_home() / "clones").glob(f"*/{identity.PLACEMENTS}")):
        other = known(file.parent.name)
        if other and other.id != here.id and is_there(other):
            yield other


def gone(name: str) -> Clone:
    """Return a clone of this user whose checkout isn't there any more, by its id; refuse any other."""
    found = known(name)
    if found is None:
        raise UserError(
            f"No clone {name} is known here.",
            cause=f"{data_home() / 'clones'} has no record of it.",
            remedy="`./dashtam status --all` shows clones. Another user's is known to that user only.",
        )
    if is_there(found):
        raise UserError(
            f"The clone {name} is still there, in {found.root}.",
            cause="Its own commands know more of it, such as the stacks that plain Pulumi made.",
            remedy=f"(cd {shlex.quote(str(found.root))} && ./dashtam clean)",
        )
    return found


def deleted(names: Iterable[str]) -> list[Clone]:
    """Return those of some clones whose checkout isn't there any more."""
    return [one for one in map(known, sorted(names)) if one and not is_there(one)]


def how_to_remove(other: Clone) -> str:
    """Return the line that says what a clone has left whose checkout isn't there any more."""
    return (
        f"The folder of that clone, {other.root}, is not here. If it was deleted, remove what it has left:"
        f" `./dashtam clean --clone {other.id}`"
    )


def is_there(other: Clone) -> bool:
    """Return whether a clone is still where it was last used."""
    try:
        return identity.read(other.root) == other.id
    except OSError:
        return True  # on a file system that can't be reached now; what it has placed stays its own


def _identify(root: Path) -> Clone:
    made, folder = secrets.token_hex(_ID_BYTES), identity.folder_of_markers(root)
    if not folder.is_dir():
        raise UserError(
            f"{root} is a worktree of a repository that isn't there any more.",
            cause=f"git's folder for it, {folder}, does not exist.",
            remedy=f"If the repository was moved, run in it: git worktree repair {shlex.quote(str(root))}",
        )
    _require_one(root)
    clone = _clone(made, root)
    identity.write(clone.root, clone.id, data_home())
    return clone


def _require_one(root: Path) -> None:
    """Refuse a folder in a repository that may be one of several copies that were renamed."""
    found, own = identity.candidates(root), identity.marker(root)
    if len(found) <= 1:
        return
    make = f"mkdir -p {shlex.quote(str(own.parent))} &&"
    raise UserError(
        f"{root} may be one of several clones that were renamed or deleted; nothing was changed.",
        cause=f"Their identities are in {', '.join(map(str, found))}.",
        remedy=f"If it was renamed, move its file: {make} mv FILE {shlex.quote(str(own))}. If it is a new clone:"
        f" {make} touch {shlex.quote(str(own))}",
    )


def require_here(clone: Clone) -> None:
    """Make sure that a clone without state here has none elsewhere, which would be taken for lost."""
    home = _other_home(clone)
    if not home or clone.has_any_state or not _keeps_state(identity.folder(clone.id, Path(home))):
        return
    raise UserError(
        f"The environments of {clone.root} are kept in {home}, and not in {data_home()}.",
        cause="Another user has used this checkout, or DASHTAM_DATA_HOME or HOME was another.",
        remedy=f"Run this as that user, or with DASHTAM_DATA_HOME={shlex.quote(home)}; or use a clone of your own.",
    )


def unseen_home(clone: Clone) -> str:
    """Return the data home on record if it is another one, in which nothing is seen of this clone; else nothing."""
    home = _other_home(clone)
    # False where it can't be reached, too.
    seen = os.path.exists(identity.folder(clone.id, Path(home)))  # noqa: PTH110
    return "" if seen else home


def _other_home(clone: Clone) -> str:
    """Return the data home on record if it is another one; else nothing."""
    home = identity.home(clone.root)
    return "" if home == str(data_home()) else home


def _keeps_state(folder: Path) -> bool:
    try:
        folder.stat()
    except PermissionError:
        return True
    except OSError:
        return False
    return Folder(folder / "state/.pulumi").has_any_state


def _clone(name: str, root: Path) -> Clone:
    return Clone(name, root, identity.folder(name, data_home()))


def _record(name: str) -> Path:
    return identity.folder(name, data_home()) / "clone.json"


def _belongs_elsewhere(name: str, root: Path) -> bool:
    other = known(name)
    return other is not None and other.root != root and identity.read(other.root) == name


def _prepare(clone: Clone) -> None:
    clone.state_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    record = _record(clone.id)
    content = json.dumps({"root": str(clone.root)}) + "\n"
    if not record.exists() or record.read_text() != content:
        write_whole(record, content)
    if not clone.passphrase_file.exists() and not clone.has_lost_passphrase:
        _make_passphrase(clone.passphrase_file)


def _make_passphrase(path: Path) -> None:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with create_private(draft) as file:
        file.write(secrets.token_urlsafe(32).encode())
    sync(draft)
    try:
        # A link fails where another process was first, so that both use the same one.
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()
    # What is encrypted with it must not outlast it.
    sync(path.parent)
