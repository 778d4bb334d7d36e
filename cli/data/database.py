"""A running environment's database, as its owner; the password stays in its container."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

import docker

from cli.core import remedies
from cli.core.errors import UserError
from cli.engine import streams
from cli.engine.streams import CommandError
from cli.environments.handle import Target

LOGIN = "service=dashtam host=/var/run/postgresql"
"""As the container's connection service file says, which only its user reads; but over the container's own socket,
which needs no certificate (PostgreSQL manual, 32.1.1 and 32.17)."""

LONGEST = 63
"""Bytes of a name; PostgreSQL cuts what is longer without an error (manual, 4.1.1)."""

_DIGITS = 8

_PSQL = ("psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-f", "-")


@dataclass(frozen=True)
class Database:
    """A database.

    Args:
        client: The engine.
        container: Its container's id.
        name: Its name.
    """

    client: docker.DockerClient
    container: str
    name: str

    def query(self, sql: str, *, database: str | None = None, atomic: bool = True) -> str:
        """Run statements.

        Args:
            sql: The statements, as psql reads them.
            database: Another database than this one.
            atomic: Whether all of them are one transaction.

        Returns:
            What they gave, without headings.

        Raises:
            CommandError: One failed.
        """
        flags = ["--single-transaction"] if atomic else []
        return self.run(*_PSQL, *flags, "-d", self.login(database), stdin=sql.encode()).strip()

    def login(self, database: str | None = None) -> str:
        """Return the connection string that clients in the container are given; it holds no secret.

        Args:
            database: Another database than this one.
        """
        name = (database or self.name).replace("\\", r"\\").replace("'", r"\'")
        return f"{LOGIN} dbname='{name}'"

    def run(self, *command: str, stdin: bytes = b"") -> str:
        """Run a client's command; see `cli.engine.streams.run`."""
        return streams.run(self.client, self.container, command, stdin)

    def feed(self, command: Sequence[str], pieces: Iterable[bytes], size: int) -> str:
        """Run a client's command that reads a stream; see `cli.engine.streams.feed`."""
        return streams.feed(self.client, self.container, command, pieces, size)

    def output(self, *command: str) -> Generator[bytes, None, None]:
        """Run a client's command and hand on what it writes; see `cli.engine.streams.output`."""
        return streams.output(self.client, self.container, command)

    def major(self) -> int:
        """Return the major version of the server."""
        return int(self.query("SHOW server_version_num")) // 10000


def of(client: docker.DockerClient, target: Target) -> Database:
    """Return an environment's database, which answers.

    Args:
        client: The engine.
        target: The environment.

    Raises:
        UserError: It doesn't run, or doesn't answer.
    """
    container = target.running("postgres").id
    try:
        name = streams.run(client, container, [*_PSQL, "-d", LOGIN], b"SELECT current_database()").strip()
    except CommandError as error:
        raise UserError(
            f"The database of {target.environment} doesn't answer; nothing was changed.",
            cause=error.said,
            remedy=remedies.known(error.said)
            or f"It may still be starting: `./dashtam up {target.environment}` waits until it is healthy.",
        ) from None
    return Database(client, container, name)


def derived(name: str, suffix: str) -> str:
    """Return the name of what belongs to a database or role: never cut by the server, and never anybody else's.

    Args:
        name: The database's or role's own name.
        suffix: A word of ASCII, far shorter than `LONGEST`.
    """
    whole = name.encode()
    tail = f"_{hashlib.sha256(whole).hexdigest()[:_DIGITS]}_{suffix}"
    return whole[: LONGEST - len(tail)].decode(errors="ignore") + tail


def literal(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'
