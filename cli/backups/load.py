"""Puts a backup in the place of a running environment's database: loaded beside it, then swapped by one renaming."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import docker

from app.linking import rekeying
from app.linking.rekeying import Rekeyed
from app.vault import MasterKeys
from cli import database as databases
from cli import health, revisions, streams, turns
from cli.backups import archive
from cli.backups.archive import Label
from cli.backups.dump import STREAM
from cli.clone import Clone
from cli.console import err
from cli.database import Database, identifier
from cli.engine_view import ContainerView
from cli.errors import UserError
from cli.snapshots import durable, keys, sealing
from cli.streams import CommandError
from cli.target import Target
from cli.transfers import transfer
from cli.waiting import until

SWAP_TRIES = 10
MAINTENANCE = "postgres"
"""The database from which others are renamed."""

LEAVE = "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = :'name';"

LOAD = ("pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges")


@dataclass(frozen=True)
class Loaded:
    """A backup that was put back.

    Args:
        environment: In which environment.
        file: The backup.
        made_of: The environment that it was made of.
        bytes: The size of its archive.
        seconds: How long it took.
        rewrapped: How many data keys got the environment's master key.
        lost: How many linked accounts can't be read here, and must be linked anew.
    """

    environment: str
    file: str
    made_of: str
    bytes: int
    seconds: float
    rewrapped: int
    lost: int


def restore(client: docker.DockerClient, target: Target, file: str) -> Loaded:
    """Put a backup in the place of an environment's database: whole, or not at all.

    Args:
        client: The engine.
        target: The environment.
        file: The backup; `-` is standard input.

    Returns:
        What was done.

    Raises:
        UserError: The backup is damaged or can't be loaded, or the environment isn't up; nothing was changed then.
    """
    began = time.monotonic()
    database = databases.of(client, target)
    app = target.running("app")
    with _at_hand(target.clone, file) as path:
        label = archive.read(path)
        _verify(path, label, database)
        with turns.turn(target.clone.home, target.environment, err.print), _beside(database) as fresh:
            _load(path, label, fresh)
            revisions.require_known(fresh.query, path.name)
            fitted = _fit(client, target, app, label, fresh)
            client.api.stop(app.id)
            try:
                _swap(database, fresh)
            finally:
                # It brings an older database up to its own revision as it starts.
                client.api.start(app.id)
    _require_health(target, app)
    seconds = time.monotonic() - began
    return Loaded(target.environment, file, label.environment, label.size, seconds, fitted.rewrapped, fitted.lost)


@contextmanager
def _at_hand(clone: Clone, file: str) -> Iterator[Path]:
    """Yield a file that can be read twice."""
    if file != STREAM:
        yield Path(file)
        return
    spooled = durable.folder(clone.home / "restoring") / "standard-input"
    spooled.unlink(missing_ok=True)
    try:
        with durable.new(spooled) as opened:
            shutil.copyfileobj(sys.stdin.buffer, opened, durable.CHUNK)
        yield spooled
    finally:
        spooled.unlink(missing_ok=True)


def _verify(path: Path, label: Label, database: Database) -> None:
    if label.postgres > (runs := database.major()):
        raise UserError(
            f"{path.name} is of PostgreSQL {label.postgres}, and this environment runs {runs}; nothing was changed.",
            cause="An older version can't read what a newer one wrote.",
            remedy="Restore it where the same version or a newer one runs.",
        )
    with transfer(f"Verifying {path.name}", label.size) as count:
        for _ in archive.checked(path, label, count):
            pass
    try:
        database.feed(["pg_restore", "--list"], archive.checked(path, label, lambda _: None), label.size)
    except CommandError as error:
        raise archive.damaged(path, error.said) from None


@contextmanager
def _beside(database: Database) -> Iterator[Database]:
    """Yield an empty database beside the one there is; what isn't needed goes at the end, whatever happened."""
    fresh = Database(database.client, database.container, f"{database.name}_restoring")
    _drop(database, fresh.name, _replaced(database))
    database.query(f"CREATE DATABASE {identifier(fresh.name)} TEMPLATE template0", database=MAINTENANCE, atomic=False)
    try:
        yield fresh
    finally:
        # Else the next restore does it.
        with suppress(CommandError):
            _drop(database, fresh.name, _replaced(database))


def _replaced(database: Database) -> str:
    return f"{database.name}_replaced"


def _drop(database: Database, *names: str) -> None:
    for name in names:
        sql = f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE)"
        database.query(f"SET client_min_messages = warning;\n{sql};", database=MAINTENANCE, atomic=False)


def _load(path: Path, label: Label, fresh: Database) -> None:
    with transfer(f"Loading {path.name}", label.size) as count:
        try:
            fresh.feed([*LOAD, "--dbname", fresh.name], archive.checked(path, label, count), label.size)
        except CommandError as error:
            raise UserError(
                f"{path.name} can't be loaded; nothing was changed.",
                cause=error.said,
                remedy="If there was no room for it beside the data there is, give the environment more.",
            ) from None


def _fit(client: docker.DockerClient, target: Target, app: ContainerView, label: Label, fresh: Database) -> Rekeyed:
    """Make linked accounts fit the keys that the environment has."""
    if fresh.query(rekeying.HAS_KEYS) != "t":
        return rekeying.NOTHING
    held = streams.read_file(client, app.id, f"{keys.INSTALLED}/{keys.TOKEN_KEYS}")
    done = rekeying.rekey(fresh.query(rekeying.READ), MasterKeys.parse(held.decode()), _former(target.clone, label))
    fresh.query(done.script)
    return done


def _former(clone: Clone, label: Label) -> MasterKeys | None:
    if label.token_keys is None:
        return None
    try:
        content = sealing.unseal(clone.passphrase_file, label.token_keys, keys.PURPOSE)
    except UserError:
        # Of another clone or machine: its accounts must be linked anew here.
        return None
    return MasterKeys.parse(content.decode())


def _swap(database: Database, fresh: Database) -> None:
    old, new, gone = (identifier(name) for name in (database.name, fresh.name, _replaced(database)))
    for tries in range(SWAP_TRIES):
        try:
            renames = f"ALTER DATABASE {old} RENAME TO {gone}; ALTER DATABASE {new} RENAME TO {old};"
            database.query(f"\\set name {database.name}\n{LEAVE}\n{renames}", database=MAINTENANCE)
        except CommandError as error:
            # Somebody may have come in just then.
            if tries == SWAP_TRIES - 1:
                raise UserError("The database can't be replaced; nothing was changed.", cause=error.said) from None
        else:
            return


def _require_health(target: Target, app: ContainerView) -> None:
    if not until(lambda: target.service("app").is_fine, health.SECONDS):
        raise UserError(
            f"The backup is in its place, but the app of {target.environment} is not healthy.",
            cause="\n".join(target.view.last_lines(app.id, 10)),
            remedy=f"./dashtam up {target.environment}",
        )
