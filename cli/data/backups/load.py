"""Puts a backup in the place of a running environment's database: loaded beside it, then swapped by one renaming."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import docker

from app.tokens import rekeying
from app.tokens.rekeying import Rekeyed
from app.tokens.vault import MasterKeys
from cli.core import remedies
from cli.core.errors import UserError
from cli.data import database as databases
from cli.data import restore_journal as journal
from cli.data import revisions
from cli.data import sealed_secrets as keys
from cli.data.backups import archive, formats, serving, source, unfinished
from cli.data.backups import database_swap as swapping
from cli.data.backups.archive import Label
from cli.data.backups.formats import Dump
from cli.data.database import Database, identifier
from cli.data.restore_journal import Entry, Phase
from cli.data.snapshots import before
from cli.data.snapshots import volume_swap as swap
from cli.engine import health, streams
from cli.engine.container import ContainerView
from cli.engine.streams import CommandError
from cli.environments import environment_lock, placements
from cli.environments.handle import Target
from cli.ui.progress import transfer

ARCHIVE = ("pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", "--no-tablespaces")
SQL = ("psql", "-qX", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-f", "-")

PUBLIC = " SCHEMA - public "
"""In the list of an archive that makes the schema: an ordinary database has it as its template has it."""


@dataclass(frozen=True)
class Loaded:
    """A backup that was put back.

    Args:
        environment: In which environment.
        file: The backup.
        made_of: The environment that it was made of; None for an ordinary dump.
        bytes: The size of its archive.
        seconds: How long it took.
        rewrapped: How many data keys got the environment's master key.
        lost: How many linked accounts can't be read here, and must be linked again.
    """

    environment: str
    file: str
    made_of: str | None
    bytes: int
    seconds: float
    rewrapped: int
    lost: int


def restore(client: docker.DockerClient, target: Target, file: str, *, snapshot: bool = False) -> Loaded:
    """Put a backup in the place of an environment's database: whole, or not at all.

    Args:
        client: The engine.
        target: The environment.
        file: The backup; `-` is standard input.
        snapshot: Whether a snapshot is taken of what is replaced.

    Returns:
        What was done.

    Raises:
        UserError: The backup is damaged or can't be loaded, or the environment isn't up; nothing was changed then.
    """
    began = time.monotonic()
    database = databases.of(client, target)
    app = target.running("app")
    with source.opened(target.clone, file) as found, formats.recognised(target.clone, found) as read:
        dump = _verify(read, database)
        with (
            _turn(client, target, snapshot=snapshot),
            _noted(target, database, dump.name),
            swapping.beside(database) as fresh,
        ):
            _load(dump, fresh, target.environment)
            with _refused(dump):
                revisions.require_known(fresh.query, dump.name)
                fitted = _fit(client, target, app, dump.label, fresh)
            serving.prove(target, app, fresh, dump.name)
            serving.replace(client, target, app, database, dump.name)
    made_of = dump.label.environment if dump.label else None
    seconds = time.monotonic() - began
    return Loaded(target.environment, file, made_of, dump.size, seconds, fitted.rewrapped, fitted.lost)


@contextmanager
def _turn(client: docker.DockerClient, target: Target, *, snapshot: bool) -> Iterator[None]:
    with environment_lock.held(target.clone, target.environment):
        # A snapshot that is only half in its place would take the place of the backup later.
        if swap.require_finished(client, target.clone, placements.naming(target.clone, target.environment)):
            health.settled(target.view, target.environment, target.clone.id)
        # The server itself knows best: the note of an interrupted restore may be lost.
        unfinished.settle(client, target.clone, target.environment)
        if snapshot:
            before.take(client, target.clone, target.environment)
        yield


@contextmanager
def _noted(target: Target, database: Database, name: str) -> Iterator[None]:
    """Note that the server may have more than one database, for the next command, should this one be killed."""
    noted = journal.of(target.clone, target.environment)
    noted.write(Entry(format=2, snapshot=name, phase=Phase.DATABASE, parts=()))
    try:
        yield
    finally:
        with suppress(CommandError):
            if not swapping.left(database):
                noted.clear()


def _verify(dump: Dump, database: Database) -> Dump:
    """Make sure that the server can read a dump, as far as that shows before it is loaded."""
    label = dump.label
    if label and label.postgres > (runs := database.major()):
        raise UserError(
            f"{dump.name} is of PostgreSQL {label.postgres}, and this environment runs {runs}; nothing was changed.",
            cause="An older version can't read what a newer one wrote.",
            remedy="Restore it where the same version or a newer one runs.",
        )
    if label:
        with transfer(f"Verifying {dump.name}", dump.size) as count:
            for _ in dump.pieces(count):
                pass
    if dump.is_sql:
        return dump
    try:
        listed = database.feed(["pg_restore", "--list"], dump.pieces(), dump.size)
    except CommandError as error:
        raise archive.damaged(dump.source, error.said) from None
    return replace(dump, makes_public=PUBLIC in listed)


def _load(dump: Dump, fresh: Database, environment: str) -> None:
    command = SQL if dump.is_sql else ARCHIVE
    # Each statement is on the disk when its database is renamed, at the latest.
    login = f"{fresh.login()} options='-csynchronous_commit=off'"
    if dump.makes_public:
        fresh.query("DROP SCHEMA public")
    with transfer(f"Loading {dump.name}", dump.size) as count:
        try:
            fresh.feed([*command, "--dbname", login], dump.pieces(count), dump.size)
        except CommandError as error:
            raise UserError(
                f"{dump.name} can't be loaded; nothing was changed.",
                cause=error.said,
                remedy=remedies.known(error.said) or _remedy(error.said, environment),
            ) from None


@contextmanager
def _refused(dump: Dump) -> Iterator[None]:
    """Tell of tables that have the service's names, but not its columns."""
    try:
        yield
    except CommandError as error:
        raise UserError(
            f"The service can't serve the database in {dump.name}; nothing was changed.",
            cause=error.said,
            remedy="Restore a backup of this version of the service or of an older one.",
        ) from None


def _remedy(said: str, environment: str) -> str:
    if "end of file" in said:
        return "The file is cut short: use another one."
    if role := re.search(r'role "([^"]+)" does not exist', said):
        return f"Make the role: ./dashtam db-shell {environment} -- -c 'CREATE ROLE {identifier(role[1])}'"
    if "does not exist" in said and "DROP" in said.upper():
        return "Make the dump without `--clean`, or with `--if-exists` beside it."
    return f"`./dashtam logs {environment} postgres` shows what the server reports."


def _fit(
    client: docker.DockerClient, target: Target, app: ContainerView, label: Label | None, fresh: Database
) -> Rekeyed:
    """Make linked accounts fit the keys that the environment has."""
    if fresh.query(rekeying.HAS_KEYS) != "t":
        return rekeying.NOTHING
    held = streams.read_file(client, app.id, f"{keys.INSTALLED}/{keys.TOKEN_KEYS}")
    shut = label.token_keys if label else None
    former = keys.former(target.clone.passphrase_file, shut) if shut else None
    done = rekeying.rekey(fresh.query(rekeying.READ), MasterKeys.parse(held.decode()), former)
    fresh.query(done.script)
    return done
