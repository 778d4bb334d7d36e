"""`dashtam exec`."""

from __future__ import annotations

import typer

from cli.commands.parameters import PASSED_ON, Command, Environment, Service
from cli.core.errors import UsageError
from cli.engine import container_exec
from cli.environments import handle

app = typer.Typer(add_completion=False)


@app.command(
    "exec",
    epilog="Examples: ./dashtam exec dev app -- python -V; ./dashtam exec dev app -- alembic current",
    context_settings=PASSED_ON,
)
def run(environment: Environment, service: Service, command: Command) -> None:
    """Run a command in a service's container, with its input, output and exit status."""
    if not command:
        raise UsageError("There is no command to run.", remedy="Write it after `--`.")
    there = handle.of(environment)
    container_exec.become(there.view, there.running(service), command)
