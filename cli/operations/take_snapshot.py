"""Takes a snapshot: the volumes at one moment, as after a power failure, from which both servers recover."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cli.core.errors import UserError
from cli.core.parallel import each
from cli.data import sealed_secrets
from cli.data.database import LOGIN
from cli.data.snapshots import installed_secrets, manifest, store
from cli.data.snapshots.helper import VOLUME, Helper, Part, helper
from cli.data.snapshots.manifest import Manifest, Piece, write_piece
from cli.data.snapshots.pause import Pause, paused
from cli.engine import streams
from cli.engine.container import ContainerView
from cli.environments import environment_lock, passphrase
from cli.environments.handle import EnvironmentHandle
from cli.operations import data_parts, finish_restore
from cli.operations.data_parts import NoPersistentDataError
from cli.ui.progress import Count, transfer
from infra.naming import WITH_DATA

CHECKPOINT = ("psql", "-qX", "-d", LOGIN, "-c", "CHECKPOINT")
"""Shortens the recovery of the copy, which is complete without it."""

SIZE = "{ du -sk . 2> /dev/null || true; } | tail -n 1"
"""In KiB. Running servers remove files at any moment, so a file that is missing is no failure."""


@dataclass(frozen=True)
class Taken:
    """A snapshot that was taken, and for how long services were paused for it."""

    environment: str
    name: str
    path: str
    bytes: int
    seconds: float
    paused_seconds: float


def take(environment: EnvironmentHandle, requested: str | None = None) -> Taken:
    """Take a snapshot of an environment, running or not, under the requested name, or one from the time."""
    clone, stack = environment.clone, environment.name
    database, found = data_parts.parts_by_config_or_state(environment)
    snapshots = store.of(clone, stack)
    snapshots.fresh_name(requested)
    began = time.monotonic()
    with environment_lock.held(clone, stack), ExitStack() as held:
        finish_restore.require_finished(environment)
        snapshots.sweep()
        volumes = environment.own_engine.volumes(clone.id)
        parts = [one for one in found if one.volume in volumes]
        helpers = [held.enter_context(_reading(environment, one, volumes)) for one in parts]
        version = _require_database(stack, helpers)
        snapshots.require_space(sum(int(one.script(SIZE).split()[0]) * 1024 for one in helpers))
        name = snapshots.fresh_name(requested)
        with snapshots.draft(name) as draft:
            pieces = _write_secrets(environment, draft, helpers[0])
            with _paused(environment) as pause:
                created = datetime.now(UTC)
                pieces |= _copy(draft, helpers)
            made = Manifest(
                environment=stack,
                name=name,
                created=created,
                postgres=version,
                database=database.name,
                user=database.user,
                images={one.service: one.image for one in parts},
                pieces=pieces,
            )
            for file, content in manifest.files(made):
                write_piece(draft / file, [content])
    path = snapshots.path(name)
    return Taken(stack, name, str(path), made.size, time.monotonic() - began, pause.seconds)


def _reading(environment: EnvironmentHandle, part: Part, volumes: Collection[str]) -> AbstractContextManager[Helper]:
    # Mounting a volume that doesn't exist would make it.
    beside = [one for one in installed_secrets.volumes(environment.naming, part) if one in volumes]
    return helper(environment, part, beside=beside)


def _require_database(stack: str, helpers: Sequence[Helper]) -> str:
    """Return the major version of the database's files."""
    with suppress(streams.CommandError, IndexError):
        return helpers[0].script("cat PG_VERSION").strip()
    raise NoPersistentDataError(
        f"{stack} has no data yet.",
        cause="Its database was not made.",
        remedy=f"./dashtam up {stack}",
    )


def _write_secrets(environment: EnvironmentHandle, draft: Path, postgres: Helper) -> dict[str, Piece]:
    """Write the secrets that the data is read and reached with, encrypted."""
    clone = environment.clone
    if passphrase.loses_token_keys(clone):
        return {}
    contents = installed_secrets.installed_to_seal(postgres, environment.naming)
    sealed = {name: sealed_secrets.seal(clone.passphrase_file, name, content) for name, content in contents.items()}
    return {name: write_piece(draft / name, [one.model_dump_json().encode()]) for name, one in sealed.items()}


@contextmanager
def _paused(environment: EnvironmentHandle) -> Iterator[Pause]:
    client, found = environment.client, environment.own_engine.containers(environment.name, environment.clone.id)
    _require_steady(environment.name, found)
    running = {one.component: one.id for one in found if one.state == "running"}
    if "postgres" in running:
        with suppress(streams.CommandError):
            streams.run(client, running["postgres"], CHECKPOINT)
    with paused(client, [running[name] for name in WITH_DATA if name in running]) as pause:
        yield pause


def _require_steady(stack: str, found: Sequence[ContainerView]) -> None:
    for one in found:
        if one.component in WITH_DATA and one.state == "restarting":
            raise UserError(
                f"The {one.component} of {stack} restarts again and again: it can't be paused.",
                cause=f"`./dashtam logs {stack} {one.component}` shows why.",
                remedy=f"Stop it first: docker stop {one.name}",
            )


def _copy(draft: Path, helpers: Sequence[Helper]) -> dict[str, Piece]:
    with transfer("Copying") as count:
        names = [manifest.archive(one.part.service) for one in helpers]
        pieces = each(lambda one: _copy_one(draft, one, count), helpers)
        return dict(zip(names, pieces, strict=True))


def _copy_one(draft: Path, one: Helper, count: Count) -> Piece:
    with closing(streams.archive(one.client, one.id, VOLUME)) as content:
        return write_piece(draft / manifest.archive(one.part.service), content, count)
