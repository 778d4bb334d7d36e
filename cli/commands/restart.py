"""`dashtam restart`."""

from __future__ import annotations

import json

import typer

from cli.commands.arguments import Environment, Services
from cli.commands.options import AsJson
from cli.engine.connect import connect
from cli.environments import environment_lock, handle, placements
from cli.environments.handle import Target
from cli.operations import finish_restore
from cli.operations import restart as restarting
from cli.operations.update_progress import display
from cli.ui.console import err

app = typer.Typer(add_completion=False)


@app.command("restart", epilog="Examples: ./dashtam restart dev; ./dashtam restart dev app")
def restart(environment: Environment, services: Services = None, *, as_json: AsJson = False) -> None:
    """Restart services in the order in which they need each other, and wait until they are healthy."""
    there = handle.of(environment)
    with environment_lock.held(there.clone, environment):
        # An interrupted restore has stopped all that use the data.
        containers = there.chosen(None if _finished_restore(there) else services)
        with display([environment], err) as (progress,):
            restarting.restart(there.view, environment, containers, progress.show)
    restarted = [one.component for one in containers]
    if as_json:
        typer.echo(json.dumps({"environment": environment, "services": restarted}))
        return
    err.print(f"{environment}: {', '.join(restarted)} restarted.", highlight=False)


def _finished_restore(there: Target) -> bool:
    finished = finish_restore.finish(connect(), there.clone, placements.naming(there.clone, there.environment))
    if finished:
        err.print(f"A restore of {there.environment} was interrupted; it is finished now.", highlight=False)
    return finished
