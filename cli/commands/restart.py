"""`dashtam restart`."""

from __future__ import annotations

import json

import typer

from cli import placements, target, turns
from cli import restart as restarting
from cli.commands.arguments import Environment, Services
from cli.commands.options import AsJson
from cli.console import err
from cli.images.engine import connect
from cli.progress import display
from cli.snapshots import switch
from cli.target import Target

app = typer.Typer(add_completion=False)


@app.command("restart", epilog="Examples: ./dashtam restart dev; ./dashtam restart dev app")
def restart(environment: Environment, services: Services = None, *, as_json: AsJson = False) -> None:
    """Restart services in the order in which they need each other, and wait until they are healthy."""
    there = target.of(environment)
    with turns.turn(there.clone.home, environment, err.print):
        # A restore that was broken off had stopped all that use the data.
        containers = there.chosen(None if _finished_restore(there) else services)
        with display([environment], err) as (progress,):
            restarting.restart(there.view, environment, containers, progress.show)
    restarted = [one.component for one in containers]
    if as_json:
        typer.echo(json.dumps({"environment": environment, "services": restarted}))
        return
    err.print(f"{environment}: {', '.join(restarted)} restarted.", highlight=False)


def _finished_restore(there: Target) -> bool:
    finished = switch.finish(connect(), there.clone, placements.naming(there.clone, there.environment))
    if finished:
        err.print(f"A restore of {there.environment} was interrupted; it is finished now.", highlight=False)
    return finished
