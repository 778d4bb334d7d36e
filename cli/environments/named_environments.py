"""Further environments of one config: `./dashtam up dev --name feature-x`.

Its config file is a link to its source's, which Pulumi reads, and writes its salt, through: so it follows every edit,
plain `pulumi up --stack feature-x` needs nothing more, and nothing can age. Git ignores the link by its list of what
is this machine's own to ignore (gitignore(5), info/exclude), so that `git status` stays clean.
"""

from __future__ import annotations

from pathlib import Path

from cli.core.atomic_files import write_whole
from cli.core.errors import UsageError
from cli.core.git import git
from cli.engine.inventory import EngineView
from cli.environments import placements
from cli.environments.allocation import Allocator
from cli.environments.clone import Clone
from cli.environments.configuration import (
    config_file,
    configured_stacks,
    readable_stacks,
    require_configured,
    unfit_name,
)
from cli.pulumi.process import Pulumi
from cli.ui.file_lock import exclusively
from infra.naming import SERVICES, Naming

_CREATING = "Another command is making this clone's stacks; waiting for it."


def make(pulumi: Pulumi, view: EngineView, clone: Clone, source: str, name: str) -> None:
    """Make an environment from another's config, unless it was made before."""
    require_configured(source, clone.root)
    origin = placements.of(clone, source).source
    _require_possible(clone, origin, name)
    Allocator(clone, view).allocate(name, origin)
    restore(clone)
    create_stacks(pulumi, clone)


def create_stacks(pulumi: Pulumi, clone: Clone) -> None:
    """Give every environment its stack; commands may come at the same time."""
    if pulumi.may_lack(configured_stacks(clone.root)):
        with exclusively(clone.state_folder / "init.lock", _CREATING):
            pulumi.create_missing(readable_stacks(clone.root))


def restore(clone: Clone) -> None:
    """Link the config of every named environment that lacks one, as after `git clean -dfx`."""
    for stack, placed in placements.recorded(clone).items():
        link = config_file(stack, clone.root)
        if placed.source != stack and config_file(placed.source, clone.root).exists():
            if not link.exists():
                link.unlink(missing_ok=True)
                link.symlink_to(config_file(placed.source, clone.root).name)
            if link.is_symlink():
                _ignore(link)


def forget(pulumi: Pulumi, clone: Clone, stack: str) -> None:
    """Forget an environment that was removed, with its stack in Pulumi's state if it is a named one."""
    if _is_further(clone, stack):
        pulumi.run("stack", "rm", stack, "--yes", "--preserve-config")
    unregister(clone, stack)


def unregister(clone: Clone, stack: str) -> None:
    """Forget an environment's placement, and the link of a named one."""
    if _is_further(clone, stack):
        link = config_file(stack, clone.root)
        link.unlink()
        _ignore_no_more(link)
    placements.release(clone, stack)


def _is_further(clone: Clone, stack: str) -> bool:
    return config_file(stack, clone.root).is_symlink() and placements.of(clone, stack).source != stack


def _require_possible(clone: Clone, source: str, name: str) -> None:
    try:
        Naming(name, clone.id)
    except ValueError as error:
        raise unfit_name(name, str(error)) from None
    if name in SERVICES:
        raise unfit_name(name, "It is a service's, which commands take after environments.")
    file = config_file(name, clone.root)
    if file.exists() and not file.is_symlink():
        raise UsageError(
            f"There is an environment {name} already, with a config of its own.",
            cause=f"{file.name} exists.",
            remedy=f"Choose another name, or bring that one up: `./dashtam up {name}`.",
        )
    known = placements.recorded(clone).get(name)
    if known and known.source != source:
        raise UsageError(
            f"{name} was made from {known.source}, not from {source}.",
            remedy=f"Choose another name, or remove it first: `./dashtam destroy {name}`.",
        )


def _ignore(link: Path) -> None:
    exclude, line = _exclude(link)
    if exclude is None or line in _lines(exclude):
        return
    _write(exclude, [*_lines(exclude), line])


def _ignore_no_more(link: Path) -> None:
    exclude, line = _exclude(link)
    if exclude is None or line not in _lines(exclude) or _is_in_another_worktree(link, line):
        return
    _write(exclude, [one for one in _lines(exclude) if one != line])


def _exclude(link: Path) -> tuple[Path | None, str]:
    """Return the file with what git ignores on this machine, shared by all worktrees, and the line for a link."""
    said = git(link.parent, "rev-parse", "--git-path", "info/exclude", "--show-prefix")
    if said is None:
        return None, ""
    path, prefix = said.splitlines()
    return link.parent / path, f"/{prefix}{link.name}"


def _is_in_another_worktree(link: Path, line: str) -> bool:
    listed = (git(link.parent, "worktree", "list", "--porcelain") or "").splitlines()
    roots = [Path(one.removeprefix("worktree ")) for one in listed if one.startswith("worktree ")]
    return any((root / line.lstrip("/")).is_symlink() for root in roots)


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def _write(file: Path, lines: list[str]) -> None:
    write_whole(file, "".join(f"{line}\n" for line in lines))
