"""`dashtam shell`."""

from __future__ import annotations

import typer

from cli.commands.parameters import Environment, Service
from cli.engine import container_exec
from cli.environments import handle

SHELL = ("sh", "-c", "if command -v bash >/dev/null; then exec bash; fi; exec sh")

app = typer.Typer(add_completion=False)


@app.command("shell", epilog="Examples: ./dashtam shell dev; ./dashtam shell dev postgres")
def shell(
    environment: Environment,
    service: Service = "app",
) -> None:
    """Open a shell in a service's container, as the service's user."""
    there = handle.of(environment)
    container_exec.become(there.view, there.running(service), SHELL)
