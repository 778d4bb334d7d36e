"""`dashtam status`."""

from __future__ import annotations

import json
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from cli import clone
from cli.commands.arguments import AnyEnvironment
from cli.commands.options import AsJson
from cli.console import err, out
from cli.engine_view import ContainerView, EngineView
from cli.images import source
from cli.images.engine import connect
from cli.pulumi import configured_stacks

_STYLES = {"healthy": "green", "unhealthy": "bold red", "starting": "yellow"}


app = typer.Typer(add_completion=False)


@app.command("status", epilog="Example: ./dashtam status dev")
def status(
    environment: AnyEnvironment = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show what runs where, and where this machine's images come from. Changes nothing."""
    client = connect()
    decision = source.explain(client)
    here = clone.find()
    found = EngineView(client).containers(environment, here.id) if here else []
    services = [one for one in found if one.is_service]
    if as_json:
        document = {
            "clone": here.id if here else None,
            "image_source": decision.source.value,
            "environments": configured_stacks(),
            "services": [describe(one) for one in services],
        }
        typer.echo(json.dumps(document, indent=2))
        return
    out.print(table(services) if services else "Nothing is up. Start with ./dashtam up dev.")
    err.print(f"Images come from: {decision.source.value} ({decision.reason}).", highlight=False)


def describe(container: ContainerView) -> dict[str, Any]:
    """Return a service's state for scripts."""
    return {
        "environment": container.stack,
        "service": container.component,
        "container": container.name,
        "state": container.state,
        "health": container.health,
        "started": container.started,
        "ports": {inner: outer for inner, outer in container.ports.items() if outer},
        "image": container.image,
    }


def table(services: list[ContainerView]) -> Table:
    """Return the services as a table.

    Args:
        services: The services' containers.

    Returns:
        A row a service.
    """
    rows = Table(box=None, pad_edge=False)
    for heading in ("environment", "service", "state", "since", "ports"):
        rows.add_column(heading)
    for one in services:
        state = one.health or one.state
        ports = ", ".join(f"{outer} -> {inner}" for inner, bound in one.ports.items() for outer in bound)
        since = one.started[:19].replace("T", " ")
        rows.add_row(one.stack, one.component, Text(state, _STYLES.get(state, "")), since, ports)
    return rows
