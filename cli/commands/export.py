"""`dashtam export`: an environment for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.parameters import Environment, Yes
from cli.environments import handle, states
from cli.operations import compose
from cli.pulumi.stack_state import CONTAINER
from cli.ui import output_files
from cli.ui.console import announce

app = typer.Typer(help="An environment for other tools.", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Keep `compose` a command of a group."""


@app.command("compose", epilog="Example: ./dashtam export compose dev --output compose.yaml")
def export(
    environment: Environment,
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file, instead of standard output.")] = None,
    yes: Yes = False,
) -> None:
    """Write an equivalent compose file, without secrets in it: it mounts the volumes in which they are installed."""
    state = states.read(handle.require(environment), environment)
    if not any(state.of(CONTAINER)):
        raise handle.not_running(environment)
    if output is not None:
        output_files.ask(str(output), yes=yes)
    text = compose.render(environment, state)
    if output is None:
        typer.echo(text, nl=False)
        return
    output_files.write(output, text)
    announce(f"{output} describes {environment}. Check it: docker compose -f {output} config")
