"""Puts a backup in the place of a running environment's database: loaded beside it, then swapped by one renaming."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import docker

from app.linking import rekeying
from app.linking.rekeying import Rekeyed
from app.vault import MasterKeys
from cli import database as databases
from cli import health, placements, remedies, revisions, streams, turns
from cli.backups import archive, source, swapping
from cli.backups.archive import Label
from cli.backups.source import Source
from cli.console import err
from cli.container_view import ContainerView
from cli.database import Database
from cli.errors import UserError
from cli.snapshots import keys, switch
from cli.streams import CommandError
from cli.target import Target
from cli.transfers import transfer
from cli.waiting import until

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
    with source.opened(target.clone, file) as backup:
        label = archive.read(backup)
        _verify(backup, label, database)
        with _turn(client, target), swapping.beside(database) as fresh:
            _load(backup, label, fresh, target.environment)
            revisions.require_known(fresh.query, backup.name)
            fitted = _fit(client, target, app, label, fresh)
            try:
                client.api.stop(app.id)
                swapping.swap(database, fresh)
            finally:
                # It brings an older database up to its own revision as it starts.
                client.api.start(app.id)
    _require_health(target, app)
    seconds = time.monotonic() - began
    return Loaded(target.environment, file, label.environment, label.size, seconds, fitted.rewrapped, fitted.lost)


@contextmanager
def _turn(client: docker.DockerClient, target: Target) -> Iterator[None]:
    with turns.turn(target.clone.home, target.environment, err.print):
        # A snapshot that is only half in its place would take the place of the backup later.
        if switch.finish(client, target.clone, placements.naming(target.clone, target.environment)):
            health.settled(target.view, target.environment, target.clone.id)
        yield


def _verify(backup: Source, label: Label, database: Database) -> None:
    if label.postgres > (runs := database.major()):
        raise UserError(
            f"{backup.name} is of PostgreSQL {label.postgres}, and this environment runs {runs}; nothing was changed.",
            cause="An older version can't read what a newer one wrote.",
            remedy="Restore it where the same version or a newer one runs.",
        )
    with transfer(f"Verifying {backup.name}", label.size) as count:
        for _ in archive.checked(backup, label, count):
            pass
    try:
        database.feed(["pg_restore", "--list"], archive.checked(backup, label, lambda _: None), label.size)
    except CommandError as error:
        raise archive.damaged(backup, error.said) from None


def _load(backup: Source, label: Label, fresh: Database, environment: str) -> None:
    with transfer(f"Loading {backup.name}", label.size) as count:
        try:
            fresh.feed([*LOAD, "--dbname", fresh.login()], archive.checked(backup, label, count), label.size)
        except CommandError as error:
            raise UserError(
                f"{backup.name} can't be loaded; nothing was changed.",
                cause=error.said,
                remedy=remedies.known(error.said) or f"`./dashtam logs {environment} postgres` may tell more.",
            ) from None


def _fit(client: docker.DockerClient, target: Target, app: ContainerView, label: Label, fresh: Database) -> Rekeyed:
    """Make linked accounts fit the keys that the environment has."""
    if fresh.query(rekeying.HAS_KEYS) != "t":
        return rekeying.NOTHING
    held = streams.read_file(client, app.id, f"{keys.INSTALLED}/{keys.TOKEN_KEYS}")
    former = keys.former(target.clone.passphrase_file, label.token_keys) if label.token_keys else None
    done = rekeying.rekey(fresh.query(rekeying.READ), MasterKeys.parse(held.decode()), former)
    fresh.query(done.script)
    return done


def _require_health(target: Target, app: ContainerView) -> None:
    if not until(lambda: target.service("app").is_fine, health.SECONDS):
        raise UserError(
            f"The backup is in its place, but the app of {target.environment} is not healthy.",
            cause="\n".join(target.view.last_lines(app.id, 10)),
            remedy=f"./dashtam up {target.environment}",
        )
