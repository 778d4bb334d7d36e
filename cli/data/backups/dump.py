"""Makes a backup of a running environment's database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from docker.errors import NotFound

from cli.core import atomic_files
from cli.core.errors import UsageError, UserError
from cli.data import database as databases
from cli.data import sealed_secrets
from cli.data.backups import archive
from cli.data.backups.archive import Label
from cli.data.database import Database
from cli.data.sealed_secrets import Sealed
from cli.engine import streams
from cli.engine.streams import CommandError, explain_failure
from cli.environments import passphrase
from cli.environments.handle import EnvironmentHandle
from cli.ui import output_files
from cli.ui.progress import transfer
from infra.naming import FILES

LOCK_SECONDS = 30
"""How long a dump waits for a table that a session has locked, as a migration does for a moment."""

DUMP = ("pg_dump", "--format=custom", "--compress=zstd", f"--lock-wait-timeout={LOCK_SECONDS}s")

CANCELLED = "canceling statement due to"

HOLDER = r"""
SELECT l.pid, format('PID %s, %s, %s, since %s: %s', pid, usename, state, to_char(xact_start, 'HH24:MI:SS'),
    left(regexp_replace(query, '\s+', ' ', 'g'), 200))
FROM pg_locks l JOIN pg_stat_activity USING (pid) JOIN pg_database d ON d.oid = l.database
WHERE d.datname = current_database() AND mode = 'AccessExclusiveLock' AND relation >= 16384
ORDER BY granted DESC, xact_start LIMIT 1
"""
"""The session that has locked a table that isn't the server's own, or waits to; its number and a description."""


@dataclass(frozen=True)
class Made:
    """A backup that was made; size and digest are those of its archive."""

    environment: str
    file: str
    bytes: int
    sha256: str
    seconds: float


def backup(environment: EnvironmentHandle, file: str) -> Made:
    """Make a backup in a file, as `cli.ui.output_files` reads its name; a failure leaves the file as it was."""
    began = time.monotonic()
    database = databases.of(environment)
    label = Label(
        environment=environment.name,
        created=datetime.now(UTC),
        postgres=database.major(),
        size=0,
        sha256="",
        token_keys=_token_keys(environment),
    )
    command = [*DUMP, "--dbname", database.login()]
    with (
        transfer(f"Backing {environment.name} up") as count,
        _explained(environment.name),
        _lock_explained(environment.name, database),
        closing(streams.output(database.client, database.container, command)) as written,
        _opened(file) as opened,
    ):
        label = archive.write(opened, written, label, count)
    return Made(environment.name, file, label.size, label.sha256, time.monotonic() - began)


def _token_keys(environment: EnvironmentHandle) -> Sealed | None:
    try:
        holder, path = _holder(environment)
        content = environment.view.read_file(holder, path)
    except NotFound:
        return None
    if passphrase.loses_token_keys(environment.clone):
        return None
    return sealed_secrets.seal(environment.clone.passphrase_file, sealed_secrets.TOKEN_KEYS, content)


def _holder(environment: EnvironmentHandle) -> tuple[str, str]:
    """Return the container that has the master keys, and their file there."""
    found = {one.component: one.id for one in environment.view.containers(environment.name, environment.clone.id)}
    if "app" not in found and FILES in found:
        return found[FILES], sealed_secrets.INSTALLER_TOKEN_KEYS
    return environment.service("app").id, sealed_secrets.INSTALLED_TOKEN_KEYS


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    with output_files.opened(file, atomic_files.PRIVATE) as opened:
        if opened.isatty():
            raise UsageError("A backup is not for a terminal.", remedy="Name a file, or redirect it.")
        yield opened


@contextmanager
def _lock_explained(environment: str, database: Database) -> Iterator[None]:
    try:
        yield
    except CommandError as error:
        pid, _, holder = database.query(HOLDER).partition("|") if CANCELLED in error.output else ("", "", "")
        if not holder:
            raise
        raise UserError(
            f"The database of {environment} can't be backed up: a table was locked for {LOCK_SECONDS} s.",
            cause=holder,
            remedy=f"End its transaction, or the session: `./dashtam db-shell {environment} -- -c 'SELECT"
            f" pg_terminate_backend({pid})'`. Then run the same command again.",
        ) from None


@contextmanager
def _explained(environment: str) -> Iterator[None]:
    try:
        with explain_failure(
            f"The database of {environment} can't be backed up.",
            f"Check `./dashtam status {environment}`, then run the same command again.",
            environment,
        ):
            yield
    except OSError as error:
        # The engine's failures are of this kind, too; a pipe's reader that has ended is not.
        if error.errno is None or (isinstance(error, ConnectionError) and not isinstance(error, BrokenPipeError)):
            raise
        cause, remedy = (
            ("The program that reads the backup ended.", "Check its error output, then run the same command again.")
            if isinstance(error, BrokenPipeError)
            else (str(error.strerror), "Make room there, or name another file.")
        )
        raise UserError("The backup can't be written.", cause=cause, remedy=remedy) from None
