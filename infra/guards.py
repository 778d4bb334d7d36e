"""What an update must not do: it is refused before anything is declared, by the program and so by plain Pulumi too.

Whatever is in a stack's state and is not declared any more is deleted by the next update; and a volume that is declared
under a name that exists is taken over silently.
"""

from __future__ import annotations

import re
import shlex
import stat
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infra.catalogue import POSTGRES, ROOT, ImageSource, source_paths
from infra.config.settings import StackSettings
from infra.engine import NOT_PODMAN, EngineObject, Inventory
from infra.naming import OWNER_LABEL, PROJECT, PROJECT_LABEL, SERVICES, WITH_DATA, Naming
from infra.state import State

UNCLAIMED = "unclaimed"
"""The owner where no clone is named: plain Pulumi in a shell that was not set up."""

SET_UP = 'Run `eval "$(./dashtam env)"` first, or use `./dashtam`: they set which clone this is.'

_FORMER_BACKEND = "If PULUMI_BACKEND_URL or `pulumi login` chose another backend, take that back."

REMOVE = {
    "container": "docker rm -f",
    "network": "docker network rm",
    "volume": "docker volume rm",
    "service": "docker service rm",
}
"""What removes an object of a kind, with its name after it."""

_MAJOR = re.compile(r":(\d+)(?:[.-]|$)")


class RefusedError(Exception):
    """An update is refused; the text is for users, and nothing was changed."""

    def __init__(self, message: str, *, cause: str, remedy: str) -> None:
        super().__init__(f"{message} {cause} {remedy}")
        self.message, self.cause, self.remedy = message, cause, remedy


@dataclass(frozen=True)
class Wanted:
    """What an update is to declare."""

    naming: Naming
    config: StackSettings
    running: Collection[str] = SERVICES
    """The services that have a container."""

    @property
    def mounts_source(self) -> bool:
        """Whether containers run the source of this checkout, which the engine mounts."""
        return self.config.app.build == "development" and bool({"app", "callback"}.intersection(self.running))


@dataclass(frozen=True)
class EngineQueries:
    """What is looked up on the engine where it matters, for it takes time."""

    keys_in_use: Callable[[], set[str] | None]
    """Returns the token keys that rows need; None where the database doesn't run."""
    not_mountable: Callable[[Path], str]
    """Returns why a folder can't be mounted; empty where it can."""
    has_database: Callable[[], bool]
    """Returns whether the data volume has a database."""


def require(state: State, inventory: Inventory, wanted: Wanted, queries: EngineQueries) -> None:
    """Make sure that an update can be done and takes nothing away that it must not."""
    require_docker(inventory, wanted.naming.environment)
    require_own(state, wanted.naming)
    require_engine(state, inventory, wanted.naming.environment)
    require_network(state, wanted)
    require_data(state, wanted)
    require_free(state, inventory, wanted.naming)
    require_secrets(state, inventory, wanted, queries.has_database)
    require_database(state, wanted)
    require_keys(state, wanted, queries.keys_in_use)
    require_mountable_source(wanted, queries.not_mountable)
    require_readable_source(wanted)


def require_shell(clone: str, identity: str) -> None:
    """Refuse a shell that was set up for another clone than this checkout's identity; either may be empty."""
    if clone and clone != identity:
        raise RefusedError(
            "This shell is set up for another clone; nothing was changed.",
            cause=f"DASHTAM_CLONE is {clone}, and this checkout is {identity or 'none yet'}.",
            remedy='Run `eval "$(./dashtam env)"` in this checkout.',
        )


def require_docker(inventory: Inventory, stack: str) -> None:
    """Refuse an engine that is only like Docker's."""
    if inventory.is_podman:
        cause, remedy = NOT_PODMAN
        raise RefusedError(f"{stack} can't run on Podman; nothing was changed.", cause=cause, remedy=remedy)


def require_own(state: State, naming: Naming) -> None:
    """Refuse a stack that another clone made in a backend that both use."""
    for one in state.resources:
        if one.owner not in {"", naming.owner}:
            raise _not_own(one.name, one.owner, naming)


def is_elsewhere(state: State, inventory: Inventory) -> bool:
    """Return whether a stack's resources are on another engine.

    An engine that was installed again over its old data has another id and the same volumes: that one is theirs.
    """
    known, owners = state.outputs.get("engine"), {one.owner for one in state.resources}
    own = {one.name for one in inventory.objects if one.labels.get(OWNER_LABEL) in owners}
    return bool(known and inventory.id and known != inventory.id) and not own & state.names


def require_engine(state: State, inventory: Inventory, stack: str) -> None:
    """Refuse another engine than the one that the stack's resources are on."""
    if not is_elsewhere(state, inventory):
        return
    known = state.outputs["engine"]
    raise RefusedError(
        f"{stack} is on another Docker engine; nothing was changed.",
        cause=f"It was made on the engine with the ID {known}. This one has the ID {inventory.id} and nothing of"
        f" {stack}.",
        remedy="Set DOCKER_HOST as it was then, or choose that context: `docker context use NAME`. If that engine no"
        f" longer exists, delete {stack} from the state: `./dashtam destroy {stack} --engine-lost`.",
    )


def require_network(state: State, wanted: Wanted) -> None:
    """Refuse a changed `encrypted` while the network exists: services use it."""
    asked, stack = wanted.config.target.encrypted, wanted.naming.environment
    if not wanted.config.target.is_swarm or all(("encrypted" in one.options) is asked for one in state.networks):
        return
    raise RefusedError(
        f"The network of {stack} was made with encrypted: {str(not asked).lower()}; nothing was changed.",
        cause=f"dashtam:target.encrypted is {str(asked).lower()} now, and no network changes while services use it.",
        remedy=f"Set it in Pulumi.{stack}.yaml as it was; or make the network again, with the services down meanwhile:"
        f" set it as it was, `./dashtam down {stack}`, change it, `./dashtam up {stack}`. Data is kept.",
    )


def require_data(state: State, wanted: Wanted) -> None:
    """Refuse a config that no longer asks for a data volume that the state has."""
    unwanted = sorted(state.data_volumes - set(wanted_volumes(wanted.naming, wanted.config).values()))
    if not unwanted:
        return
    stack, volumes = wanted.naming.environment, ", ".join(unwanted)
    former = {one.stack for one in state.resources if one.name in unwanted} - {"", stack}
    if former:
        raise RefusedError(
            f"{stack} keeps data in {volumes}, under the name that its stack had before; nothing was changed.",
            cause=f"The stack was renamed from {', '.join(sorted(former))}; an update would delete these volumes.",
            remedy=f'Rename it back: `eval "$(./dashtam env)"; pulumi stack rename {min(former)} --stack {stack}`. For'
            " another name, make another environment and copy the data with `./dashtam backup` and `./dashtam"
            " restore`.",
        )
    raise RefusedError(
        f"{stack} keeps data in {volumes}, which its config no longer asks for; nothing was changed.",
        cause="An update would delete what its config doesn't ask for, with all that is in it.",
        remedy=f"Set `storage: volume` in Pulumi.{stack}.yaml as it was; or remove the environment first, which"
        f" takes a snapshot: `./dashtam destroy {stack}`.",
    )


def require_database(state: State, wanted: Wanted) -> None:
    """Refuse a database, user or major version that the data volume was not made with."""
    config, volume = wanted.config, wanted.naming.data_volume("postgres")
    if volume not in state.data_volumes:
        return
    made = state.outputs.get("database") or {}
    former = (state.outputs.get("images") or {}).get("postgres") or ""
    image = config.images.postgres or POSTGRES.official
    now = {"database": config.postgres.database, "user": config.postgres.user, "major version": major(image)}
    before = {"database": made.get("name"), "user": made.get("user"), "major version": major(former)}
    changed = [one for one, value in now.items() if value and before[one] and value != before[one]]
    if changed:
        stack = wanted.naming.environment
        listed = ", ".join(f"{one} {before[one]} (now {now[one]})" for one in changed)
        raise RefusedError(
            f"The data of {stack} was made with another {' and '.join(changed)}; nothing was changed.",
            cause=f"PostgreSQL made {volume} with the {listed}, and can't change that in place.",
            remedy=f"Set it in Pulumi.{stack}.yaml as it was. To change it, copy the data: `./dashtam backup {stack}"
            f" FILE`, `./dashtam destroy {stack}`, `./dashtam up {stack}`, `./dashtam restore {stack} FILE`.",
        )


def require_keys(state: State, wanted: Wanted, needed: Callable[[], set[str] | None]) -> None:
    """Refuse to delete a token key that rows need, or to make another of its name.

    `needed` returns these, or None where the database doesn't run.
    """
    configured, stack = {*wanted.config.tokens.keys}, wanted.naming.environment
    if not state.token_keys or state.token_keys == configured:
        return
    rows, removed = needed(), state.token_keys - configured
    lost = sorted(removed if rows is None else removed & rows)
    if lost and (rows is not None or state.data_volumes):
        keys = ", ".join(lost)
        keep = ", ".join([*sorted(removed), *wanted.config.tokens.keys])
        raise RefusedError(
            f"dashtam:tokens no longer has the key {keys}, which stored tokens of {stack} need; nothing was changed.",
            cause="Without it these tokens can never be read again."
            if rows is not None
            else f"{stack} doesn't run, so whether any row still needs it can't be looked up.",
            remedy=f"Set `keys: [{keep}]` in Pulumi.{stack}.yaml and run `./dashtam up {stack}`. To stop using it, run"
            f" `./dashtam keys rotate {stack}` then, and remove it afterwards, while {stack} runs.",
        )
    if missing := sorted((configured - state.token_keys) & (rows or set())):
        keys = ", ".join(missing)
        raise RefusedError(
            f"Pulumi's state lacks the key {keys}, which stored tokens of {stack} need; nothing was changed.",
            cause="The state is in another backend, or the key was deleted from it; an update would make another, with"
            " which these tokens can't be read.",
            remedy=f"{_FORMER_BACKEND} Else {_take_a_snapshot(stack)}",
        )


def require_secrets(state: State, inventory: Inventory, wanted: Wanted, has_database: Callable[[], bool]) -> None:
    """Refuse to make new secrets for a database that was made with others."""
    volume, stack = wanted.naming.data_volume("postgres"), wanted.naming.environment
    own = {one.name for one in inventory.objects if one.labels.get(OWNER_LABEL) == wanted.naming.owner}
    if volume not in own or state.has_secrets or not has_database():
        return
    raise RefusedError(
        f"Pulumi's state lacks the password and the keys of the data of {stack}; nothing was changed.",
        cause=f"{volume} has a database that was made with them. The state is in another backend, or the stack was"
        " renamed, or they were deleted from it; an update would make others, with which nothing can be read.",
        remedy=f"{_FORMER_BACKEND} If the stack was renamed to NAME, rename it back:"
        f' `eval "$(./dashtam env)"; pulumi stack rm {stack} --yes --preserve-config;'
        f" pulumi stack rename {stack} --stack NAME`. Else {_take_a_snapshot(stack)}",
    )


def _take_a_snapshot(stack: str) -> str:
    return (
        f"run `./dashtam destroy {stack}`, which takes a snapshot with the keys that are installed, then"
        f" `./dashtam up {stack}` and `./dashtam snapshot restore {stack} NAME`."
    )


def require_mountable_source(wanted: Wanted, not_mountable: Callable[[Path], str]) -> None:
    """Refuse to mount the source on an engine that can't, such as another computer's; `not_mountable` returns why."""
    folder, stack = ROOT / "app", wanted.naming.environment
    if wanted.mounts_source and (reason := not_mountable(folder)):
        raise RefusedError(
            f"The Docker engine can't mount {folder}, which the app of {stack} runs from; nothing was changed.",
            cause=f"It is on another computer, or isn't given that folder: {reason}.",
            remedy=f"Use an engine that has this checkout; or set `build: production` for dashtam:app in"
            f" Pulumi.{stack}.yaml; or run what mounts none: `./dashtam up {stack} postgres redis`.",
        )


def require_readable_source(wanted: Wanted, folder: Path = ROOT / "app") -> None:
    """Refuse a mounted source that the service's user can't read, as after `git clone` with a umask of 077."""
    if not wanted.mounts_source or sys.platform != "linux":  # Docker Desktop maps owners and modes
        return
    hidden = next(((path, mode) for path, mode in _modes(folder) if not _is_for_all(mode)), None)
    if hidden is not None:
        path, mode = hidden
        raise RefusedError(
            f"{path} can't be read by the service of {wanted.naming.environment}; nothing was changed.",
            cause=f"Its mode is {stat.S_IMODE(mode):04o}. The service runs as another user, and reads"
            " the source where it is.",
            remedy=f"chmod -R a+rX {shlex.quote(str(folder))}",
        )


def _modes(folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield the source's files and folders with their modes; not what editors and Python leave beside them."""
    yield folder, folder.stat().st_mode
    for path in source_paths(folder):
        with suppress(FileNotFoundError):  # removed meanwhile, or a link that leads nowhere
            yield path, path.stat().st_mode


def _is_for_all(mode: int) -> bool:
    needed = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(mode) else 0)
    return mode & needed == needed


def require_free(state: State, inventory: Inventory, naming: Naming) -> None:
    """Refuse names that something else on the engine has: another clone's, or what this project didn't make."""
    # An update deletes the volumes of former names by these names.
    names = naming.names | state.volumes
    for one in inventory.objects:
        if one.name in names and (refusal := _foreign(one, state.names, naming)):
            raise refusal


def wanted_volumes(naming: Naming, config: StackSettings) -> dict[str, str]:
    """Return the volumes that a config asks for to keep data in, by service."""
    return {one: naming.data_volume(one) for one in WITH_DATA if getattr(config, one).storage == "volume"}


def major(reference: str) -> str:
    """Return the major version of PostgreSQL in an image; empty where its tag doesn't begin with one."""
    if reference.startswith(POSTGRES.reference(ImageSource.DEBIAN).partition(":")[0]):
        reference = POSTGRES.official  # of the same version: tests/system/images/test_contract.py
    found = _MAJOR.search(reference.partition("@")[0])
    return found[1] if found else ""


def _foreign(one: EngineObject, names: Collection[str], naming: Naming) -> RefusedError | None:
    if one.labels.get(PROJECT_LABEL) != PROJECT:
        return RefusedError(
            f"The {one.kind} name {one.name}, which {naming.environment} needs, is taken; nothing was changed.",
            cause=f"This project didn't make that {one.kind}: it lacks its labels.",
            remedy=f"Remove it if it isn't needed: `{REMOVE[one.kind]} {one.name}`; or leave it, and make an"
            f" environment of another name: `./dashtam up {naming.environment} --name NAME`.",
        )
    owner = one.labels.get(OWNER_LABEL, "")
    adopts = naming.owner == UNCLAIMED and one.name not in names
    if owner != naming.owner or adopts:
        return _not_own(one.name, owner, naming)
    return None


def _not_own(name: str, owner: str, naming: Naming) -> RefusedError:
    stack = naming.environment
    return RefusedError(
        f"{stack} is another clone's here; nothing was changed.",
        cause=f"{name} is labelled {OWNER_LABEL}={owner}, and this is {naming.owner}: that clone's containers and data"
        " would be replaced or deleted.",
        remedy=SET_UP
        if naming.owner == UNCLAIMED
        else f"Work in that clone; or make an environment of another name: `./dashtam up {stack} --name NAME`; or use a"
        ' state backend of this clone\'s own: `unset PULUMI_BACKEND_URL; eval "$(./dashtam env)"; pulumi logout;'
        ' eval "$(./dashtam env)"`.',
    )
