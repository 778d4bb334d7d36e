"""A running environment's database, used as its owner; the password stays in its container."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

import docker

from cli.engine import streams
from cli.engine.streams import CommandError, explain_failure
from cli.environments.handle import EnvironmentHandle

LOGIN = "service=dashtam host=/var/run/postgresql"
"""The container's connection service file, which only its user reads, but over the container's own socket, which needs
no certificate (PostgreSQL manual, 32.1.1 and 32.17)."""

MAINTENANCE = "template1"
"""The database from which others are made, renamed and dropped; unlike `postgres`, it can't be dropped by mistake."""

_MISSING = re.compile(r'database "(.+)" does not exist')

LONGEST = 63
"""Bytes of a name; PostgreSQL cuts longer ones without an error (manual, 4.1.1)."""

_DIGITS = 8

PSQL = ("psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-f", "-")
"""Runs what it reads from its input, up to the first error, and prints results without headings."""


@dataclass(frozen=True)
class Database:
    """A database of an environment, by its name and its container's id."""

    client: docker.DockerClient
    container: str
    name: str
    environment: str

    def query(self, sql: str, *, database: str | None = None, atomic: bool = True) -> str:
        """Run statements, in this or another database; return their results without headings."""
        flags = ["--single-transaction"] if atomic else []
        command = [*PSQL, *flags, "-d", self.login(database)]
        return streams.run(self.client, self.container, command, sql.encode()).strip()

    def create(self) -> None:
        """Make it, empty."""
        sql = f"CREATE DATABASE {identifier(self.name)} TEMPLATE template0"
        self.query(sql, database=MAINTENANCE, atomic=False)

    def login(self, database: str | None = None) -> str:
        """Return the connection string, which holds no secret, for clients in the container."""
        name = (database or self.name).replace("\\", r"\\").replace("'", r"\'")
        return f"{LOGIN} dbname='{name}'"

    def major(self) -> int:
        """Return the major version of the server."""
        return int(self.query("SHOW server_version_num")) // 10000


def of(environment: EnvironmentHandle, *, make: bool = False) -> Database:
    """Return an environment's database, which is made if it was dropped; a UserError if it doesn't run or answer."""
    node, container = environment.view.node_of(environment.running("postgres").id)
    client = node.client
    with explain_failure(
        f"The database of {environment.name} doesn't answer; nothing was changed.",
        lambda output: (
            f"It was dropped. `./dashtam restore {environment.name} FILE` makes it from a backup; without one,"
            f" `./dashtam destroy {environment.name}` and `./dashtam up {environment.name}` make an empty one."
            if _MISSING.search(output)
            else f"It may still be starting: `./dashtam up {environment.name}` waits until it is healthy."
        ),
        environment.name,
    ):
        try:
            name = streams.run(client, container, [*PSQL, "-d", LOGIN], b"SELECT current_database()").strip()
        except CommandError as error:
            missing = _MISSING.search(error.output)
            if not (make and missing):
                raise
            name = missing[1]
            Database(client, container, name, environment.name).create()
    return Database(client, container, name, environment.name)


def derived(name: str, suffix: str) -> str:
    """Return a name for a companion of a database or role: never cut by the server, never anybody else's.

    The suffix is a short word in ASCII.
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
