"""Takes a snapshot: the disks as they are at one moment, as a power failure leaves them, which both recover from."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import docker

from cli.core import atomic_files
from cli.core.errors import USAGE, UserError
from cli.core.parallel import each
from cli.data import sealed_secrets as keys
from cli.data.database import LOGIN
from cli.data.snapshots import manifest, store
from cli.data.snapshots import volume_swap as swap
from cli.data.snapshots.helper import VOLUME, Helper, Part, helper
from cli.data.snapshots.manifest import Manifest, Piece
from cli.data.snapshots.pause import Moment, frozen
from cli.engine import streams
from cli.engine.container import ContainerView
from cli.engine.inventory import EngineView
from cli.environments import environment_lock, passphrase
from cli.environments.clone import Clone
from cli.operations import data_parts as parts
from cli.ui.progress import Count, transfer
from infra.naming import Naming

SERVICES = ("postgres", "redis")

CHECKPOINT = ("psql", "-qX", "-d", LOGIN, "-c", "CHECKPOINT")
"""Makes the recovery of the copy short; the copy is whole without."""

SIZE = "{ du -sk . 2> /dev/null || true; } | tail -n 1"
"""In KiB. What runs removes files at any moment, so that one that was there a moment ago is no reason to give up."""


@dataclass(frozen=True)
class Taken:
    """A snapshot that was taken.

    Args:
        environment: Of which environment.
        name: Its name.
        path: Where it is.
        bytes: Its size.
        seconds: How long it took.
        paused_seconds: How long the services stood still meanwhile.
    """

    environment: str
    name: str
    path: str
    bytes: int
    seconds: float
    paused_seconds: float


def create(client: docker.DockerClient, clone: Clone, stack: str, wish: str | None = None) -> Taken:
    """Take a snapshot of an environment, running or not.

    Args:
        client: The engine.
        clone: This clone.
        stack: The environment.
        wish: The snapshot's name; None for one from the time.

    Returns:
        The snapshot.

    Raises:
        NothingToKeepError: It has no data that last.
        UserError: The name is wrong or taken, or there is no room.
    """
    settings, naming, found = parts.of(client, clone, stack)
    kept = store.of(clone, stack)
    kept.fresh_name(wish)
    began = time.monotonic()
    with environment_lock.held(clone, stack), ExitStack() as held:
        swap.require_finished(client, clone, naming)
        kept.sweep()
        ours = parts.volumes(EngineView(client), naming)
        there = [one for one in found if one.volume in ours]
        helpers = [held.enter_context(_reading(client, naming, one, ours)) for one in there]
        version = _require_database(stack, helpers)
        kept.require_space(sum(_size(one) for one in helpers))
        name = kept.fresh_name(wish)
        with kept.draft(name) as draft:
            pieces = _secrets(clone, naming, draft, helpers[0])
            with _still(client, naming) as moment:
                created = datetime.now(UTC)
                pieces |= _copy(draft, helpers)
            made = Manifest(
                environment=stack,
                name=name,
                created=created,
                postgres=version,
                database=settings.postgres.database,
                user=settings.postgres.user,
                images={one.service: one.image for one in there},
                pieces=pieces,
            )
            for file, content in manifest.files(made):
                _keep(draft / file, [content])
    path = kept.path(name)
    return Taken(stack, name, str(path), made.size, time.monotonic() - began, moment.seconds)


def _reading(
    client: docker.DockerClient, naming: Naming, part: Part, ours: Collection[str]
) -> AbstractContextManager[Helper]:
    # A volume that isn't there must not be made by being mounted.
    return helper(client, naming, part, beside=[one for one in keys.volumes(naming, part) if one in ours])


def _secrets(clone: Clone, naming: Naming, draft: Path, postgres: Helper) -> dict[str, Piece]:
    """Keep what the data can be read and reached with, encrypted."""
    contents = keys.kept(postgres, naming)
    if not contents or passphrase.loses_token_keys(clone):
        return {}
    return {
        name: _keep(draft / name, [keys.sealed(clone.passphrase_file, content, name).model_dump_json().encode()])
        for name, content in contents.items()
    }


def _require_database(stack: str, helpers: Sequence[Helper]) -> str:
    """Return the major version of the database that there is."""
    with suppress(streams.CommandError, IndexError):
        return helpers[0].script("cat PG_VERSION").strip()
    raise parts.NothingToKeepError(
        f"{stack} has no data yet.",
        cause="Its database was not made.",
        remedy=f"./dashtam up {stack}",
        exit_status=USAGE,
    )


def _size(one: Helper) -> int:
    return int(one.script(SIZE).split()[0]) * 1024


@contextmanager
def _still(client: docker.DockerClient, naming: Naming) -> Iterator[Moment]:
    found = EngineView(client).containers(naming.environment, naming.owner)
    _require_steady(naming, found)
    running = {one.component: one.id for one in found if one.state == "running"}
    services = [running[name] for name in SERVICES if name in running]
    if "postgres" in running:
        with suppress(streams.CommandError):
            streams.run(client, running["postgres"], CHECKPOINT)
    with frozen(client, services) as moment:
        yield moment


def _require_steady(naming: Naming, found: Sequence[ContainerView]) -> None:
    for one in found:
        if one.component in SERVICES and one.state == "restarting":
            raise UserError(
                f"The {one.component} of {naming.environment} starts again and again: it can't be made to stand still.",
                cause=f"`docker logs {one.name}` says why.",
                remedy=f"Stop it first: docker stop {one.name}",
            )


def _copy(draft: Path, helpers: Sequence[Helper]) -> dict[str, Piece]:
    with transfer("Copying") as count:
        names = [f"{one.part.service}.tar" for one in helpers]
        kept = each(lambda one: _keep_data(draft / f"{one.part.service}.tar", one, count), helpers)
        return dict(zip(names, kept, strict=True))


def _keep_data(path: Path, one: Helper, count: Count) -> Piece:
    with closing(one.tree(VOLUME)) as pieces:
        return _keep(path, pieces, count)


def _keep(path: Path, pieces: Iterable[bytes], count: Count = lambda _: None) -> Piece:
    digest, size = hashlib.sha256(), 0
    with atomic_files.create_private(path) as file:
        for piece in pieces:
            file.write(piece)
            digest.update(piece)
            size += len(piece)
            count(len(piece))
    return Piece(size=size, sha256=digest.hexdigest())
