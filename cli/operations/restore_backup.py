"""Restores a backup: loaded beside a running environment's database, then swapped with it by one renaming."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from cli.data import database as databases
from cli.data import restore_journal
from cli.data.backups import acceptance, database_swap, formats, load, source
from cli.data.database import Database
from cli.data.restore_journal import Entry, Phase
from cli.engine import health
from cli.engine.streams import CommandError
from cli.environments import environment_lock
from cli.environments.handle import EnvironmentHandle
from cli.operations import finish_restore, snapshot_before_loss
from cli.operations.update.progress import display
from cli.ui.console import err


@dataclass(frozen=True)
class Restored:
    """A backup that was restored.

    `made_of` is the environment that it was made of, None for an ordinary dump; `rewrapped` data keys got the
    environment's master key; `lost` linked accounts can't be read here, and must be linked again.
    """

    environment: str
    file: str
    made_of: str | None
    bytes: int
    seconds: float
    rewrapped: int
    lost: int


def restore(environment: EnvironmentHandle, file: str, *, snapshot: bool = False) -> Restored:
    """Replace an environment's database with a backup, or with standard input for `-`: whole, or not at all."""
    began = time.monotonic()
    database = databases.of(environment, make=True)
    app = acceptance.running_app(environment)
    with source.opened(environment.clone, file) as found, formats.recognised(environment, found) as recognised:
        dump = load.verify(recognised, database)
        with environment_lock.held(environment.clone, environment.name):
            _finish_earlier(environment)
            acceptance.require_renamable(environment, database)
            if snapshot:
                snapshot_before_loss.before_replacing(environment)
            with _recorded(environment, database, dump.name), database_swap.beside(database) as fresh:
                load.load(dump, fresh)
                rekeyed = load.rekey_tokens(environment, app, dump, fresh)
                acceptance.check_by_app(environment, app, fresh, dump.name)
                with display([environment.name], err) as (progress,):
                    acceptance.replace(environment, app, database, dump.name, progress.on_started)
    made_of = dump.label.environment if dump.label else None
    seconds = time.monotonic() - began
    return Restored(environment.name, file, made_of, dump.size, seconds, rekeyed.rewrapped, rekeyed.lost)


def _finish_earlier(environment: EnvironmentHandle) -> None:
    # A snapshot that is only half in place would replace the backup later.
    if finish_restore.require_finished(environment):
        health.settled(environment.view, environment.name, environment.clone.id)
    # The server is asked too: the journal of an interrupted restore may be lost.
    acceptance.finish_replacing(environment)


@contextmanager
def _recorded(environment: EnvironmentHandle, database: Database, name: str) -> Iterator[None]:
    """Record for the next command, should this one be killed, that the server may have more than one database."""
    journal = restore_journal.of(environment.clone, environment.name)
    journal.write(Entry(format=2, snapshot=name, phase=Phase.DATABASE, parts=()))
    try:
        yield
    except BaseException:
        with suppress(CommandError):
            if not database_swap.left(database):
                journal.clear()
        raise
    journal.clear()
