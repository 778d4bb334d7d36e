"""`dashtam drift`."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer
from rich.table import Table
from rich.text import Text

from cli.commands.arguments import Environment
from cli.commands.options import AsJson
from cli.environments import handle
from cli.operations.drift import Difference, look
from cli.ui.console import err, out

app = typer.Typer(add_completion=False)


@app.command("drift", epilog="Example: ./dashtam drift dev")
def drift(
    environment: Environment,
    *,
    as_json: AsJson = False,
) -> None:
    """Say what the engine has otherwise than Pulumi's state says. Changes nothing; the exit status is 1 if anything."""
    there = handle.of(environment)
    found = look(there.view, there.clone, environment)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=2))
    elif found:
        out.print(table(found))
        err.print(f"[bold]What to do:[/] `./dashtam up {environment}` mends it.", highlight=False)
    else:
        out.print(f"{environment} is as its state says.", highlight=False)
    raise typer.Exit(1 if found else 0)


def table(found: list[Difference]) -> Table:
    """Return differences as a table."""
    rows = Table(box=None, pad_edge=False)
    for heading in ("resource", "property", "was", "is"):
        rows.add_column(heading, overflow="fold")
    for one in found:
        # What somebody set by hand is shown as it is, not as markup.
        rows.add_row(*(Text(cell) for cell in (f"{one.kind} {one.resource}", one.property, one.was, one.now)))
    return rows
