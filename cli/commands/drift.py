"""`dashtam drift`."""

from __future__ import annotations

from dataclasses import asdict

import typer
from rich.table import Table

from cli.commands.parameters import AsJson, Environment
from cli.core.errors import FINDINGS
from cli.environments import handle
from cli.operations.drift import Difference, look
from cli.ui.console import advise, out
from cli.ui.json_result import print_json

app = typer.Typer(add_completion=False)


@app.command("drift", epilog="Example: ./dashtam drift dev")
def drift(
    environment: Environment,
    *,
    as_json: AsJson = False,
) -> None:
    """Compare Docker with Pulumi's state. Exits 2 if they differ."""
    there = handle.of(environment)
    found = look(there.view, there.clone, environment)
    if as_json:
        print_json({"environment": environment, "differences": [asdict(one) for one in found]})
    elif found:
        out.print(table(found))
        advise(f"`./dashtam up {environment}` corrects it.")
    else:
        out.print(f"{environment} has no drift.")
    raise typer.Exit(FINDINGS if found else 0)


def table(found: list[Difference]) -> Table:
    """Return differences as a table."""
    rows = Table(box=None, pad_edge=False)
    for heading in ("resource", "property", "in state", "in Docker"):
        rows.add_column(heading, overflow="fold")
    for one in found:
        rows.add_row(f"{one.kind} {one.resource}", one.property, one.was, one.now)
    return rows
