"""Verifies a dump, loads it into an empty database, and fits it to the environment's keys; it replaces nothing."""

from __future__ import annotations

import re
from dataclasses import replace

from app.tokens import rekeying
from app.tokens.rekeying import Rekeyed
from app.tokens.vault import MasterKeys
from cli.core.errors import UserError
from cli.data import revisions, sealed_secrets
from cli.data.backups import archive
from cli.data.backups.formats import Dump
from cli.data.database import Database, identifier
from cli.engine import streams
from cli.engine.container import ContainerView
from cli.engine.streams import CommandError, explain_failure
from cli.environments.handle import EnvironmentHandle
from cli.ui.progress import transfer

ARCHIVE = ("pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", "--no-tablespaces")
SQL = ("psql", "-qX", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-f", "-")

PUBLIC = " SCHEMA - public "
"""In the list of an archive that makes the schema, which an ordinary database has from its template."""


def verify(dump: Dump, database: Database) -> Dump:
    """Make sure, as far as possible before it is loaded, that the server can read a dump."""
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
        command = ["pg_restore", "--list"]
        listed = streams.feed(database.client, database.container, command, dump.pieces(), dump.size)
    except CommandError as error:
        if "unsupported version" in error.output:
            raise UserError(
                f"{dump.name} is of a newer `pg_dump` than this environment's `pg_restore` reads; nothing was changed.",
                cause=error.output,
                remedy="Make the dump in plain SQL, without `--format=custom`.",
            ) from None
        raise archive.damaged(dump.source, error.output) from None
    return replace(dump, makes_public=PUBLIC in listed)


def load(dump: Dump, fresh: Database) -> None:
    """Load a dump into an empty database."""
    # Everything is on the disk when the database is renamed, at the latest.
    login = f"{fresh.login()} options='-csynchronous_commit=off'"
    command = [*(SQL if dump.is_sql else ARCHIVE), "--dbname", login]
    if dump.makes_public:
        fresh.query("DROP SCHEMA public")
    with (
        transfer(f"Loading {dump.name}", dump.size) as count,
        explain_failure(
            f"{dump.name} can't be loaded; nothing was changed.",
            lambda output: _remedy(output, fresh.environment),
            fresh.environment,
        ),
    ):
        streams.feed(fresh.client, fresh.container, command, dump.pieces(count), dump.size)


def _remedy(output: str, environment: str) -> str:
    if "end of file" in output:
        return "The file is cut short: use another one."
    if role := re.search(r'role "([^"]+)" does not exist', output):
        return f"Make the role: ./dashtam db-shell {environment} -- -c 'CREATE ROLE {identifier(role[1])}'"
    if extension := re.search(r'extension "([^"]+)" is not available', output):
        return (
            f"Name an image that has the extension {extension[1]} in `dashtam:images.postgres`; or make the dump"
            " without it: `pg_dump --exclude-extension`, of version 17 or newer."
        )
    if "does not exist" in output and "DROP" in output.upper():
        return "Make the dump without `--clean`, or with `--if-exists` beside it."
    return f"`./dashtam logs {environment} postgres` shows what the server reports."


def rekey_tokens(environment: EnvironmentHandle, app: ContainerView, dump: Dump, fresh: Database) -> Rekeyed:
    """Make sure that the service knows a loaded database's revision, and give it the environment's master keys."""
    # Tables can have the service's names without its columns.
    with explain_failure(
        f"The service can't serve the database in {dump.name}; nothing was changed.",
        "Restore a backup of this version of the service or of an older one.",
        environment.name,
    ):
        revisions.require_known(fresh.query, dump.name)
        if fresh.query(rekeying.HAS_KEYS) != "t":
            return rekeying.NOTHING
        present = MasterKeys.parse(environment.view.read_file(app.id, sealed_secrets.INSTALLED_TOKEN_KEYS).decode())
        sealed = dump.label.token_keys if dump.label else None
        former = sealed_secrets.unseal_token_keys(environment.clone.passphrase_file, sealed) if sealed else None
        done = rekeying.rekey(fresh.query(rekeying.READ), present, former)
        fresh.query(done.script)
        return done
