"""`dashtam db-shell`."""

from __future__ import annotations

import typer

from cli.commands.parameters import PASSED_ON, Environment, PsqlWords
from cli.engine import container_exec
from cli.environments import handle

POSTGRES = "postgres"

LOGIN = {"PGSERVICE": "dashtam", "PSQL_HISTORY": "/tmp/.psql_history"}  # noqa: S108 - the container's own, in memory
"""The container's connection service file has the rest: verification, the database and the password."""

app = typer.Typer(add_completion=False)


@app.command(
    "db-shell",
    epilog="Examples: ./dashtam db-shell dev; ./dashtam db-shell dev -- -c 'select now()';"
    " ./dashtam db-shell dev < changes.sql",
    context_settings=PASSED_ON,
)
def db_shell(environment: Environment, arguments: PsqlWords = None) -> None:
    """Open psql on an environment's database, as its owner, over verified TLS; arguments are passed to psql."""
    there = handle.of(environment)
    container_exec.become(there.view, there.running(POSTGRES), ["psql", *(arguments or [])], LOGIN)
