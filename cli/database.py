"""A running environment's database, as its owner; the password stays in its container."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import docker

from cli import streams
from cli.target import Target

_AS_OWNER = (
    "sh",
    "-c",
    'PGPASSWORD="$(cat /run/secrets/password)" PGUSER="$POSTGRES_USER" exec "$@"',
    "owner",
)
"""Over the container's own socket; the password is in no argument, and in no environment but that of the command."""

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
        return self.run(*_PSQL, *flags, "-d", database or self.name, stdin=sql.encode()).strip()

    def run(self, *command: str, stdin: bytes = b"") -> str:
        """Run a client's command; see `cli.streams.run`."""
        return streams.run(self.client, self.container, [*_AS_OWNER, *command], stdin)

    def feed(self, command: Sequence[str], pieces: Iterable[bytes], size: int) -> str:
        """Run a client's command that reads a stream; see `cli.streams.feed`."""
        return streams.feed(self.client, self.container, [*_AS_OWNER, *command], pieces, size)

    def output(self, *command: str) -> Iterator[bytes]:
        """Run a client's command and hand on what it writes; see `cli.streams.output`."""
        return streams.output(self.client, self.container, [*_AS_OWNER, *command])

    def major(self) -> int:
        """Return the major version of the server."""
        return int(self.query("SHOW server_version_num")) // 10000


def of(client: docker.DockerClient, target: Target) -> Database:
    """Return an environment's database.

    Args:
        client: The engine.
        target: The environment.

    Raises:
        UserError: It doesn't run.
    """
    container = target.running("postgres").id
    return Database(client, container, streams.run(client, container, ["printenv", "POSTGRES_DB"]).strip())


def identifier(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'
