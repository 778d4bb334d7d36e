"""`dashtam export`: an environment for other tools."""

from __future__ import annotations

import typer

from cli.commands.parameters import Environment, Output, YesReplace
from cli.environments import handle, states
from cli.operations import compose
from cli.pulumi.stack_state import CONTAINER
from cli.ui import output_files

app = typer.Typer(
    help="Export an environment to other tools.",
    epilog="Example: ./dashtam export compose dev --output compose.yaml",
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def group() -> None:
    """Keep `compose` a command of a group."""


@app.command("compose", epilog="Example: ./dashtam export compose dev --output compose.yaml")
def export(
    environment: Environment,
    *,
    output: Output = output_files.STREAM,
    yes: YesReplace = False,
) -> None:
    """Write an equivalent compose file, without secrets in it: it mounts the volumes in which they are installed."""
    state = states.read(handle.require(environment), environment)
    if not any(state.of(CONTAINER)):
        raise handle.not_running(environment)
    note = f"{output} describes {environment}. Check it: docker compose -f {output} config"
    output_files.deliver(output, lambda: compose.render(environment, state), note, yes=yes)
