"""`dashtam keys`: the keys that linked accounts' tokens are encrypted under."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cli import clone
from cli.commands.options import AsJson
from cli.console import out
from cli.engine_view import ContainerView, EngineView
from cli.errors import UserError
from cli.images.engine import connect

APP = "app"
ROTATE = ("python", "-m", "app.linking.rotation")

keys = typer.Typer(help="The keys that linked accounts' tokens are encrypted under.", no_args_is_help=True)


@keys.callback()
def group() -> None:
    """Keep `rotate` a command of a group."""


@keys.command("rotate", epilog="Example: ./dashtam keys rotate dev")
def rotate(
    environment: Annotated[str, typer.Argument(help="Which environment.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Encrypt every token anew under a new key, while the environment runs; no read fails meanwhile."""
    view = EngineView(connect())
    here = clone.find()
    app = running_app(view.containers(environment, here.id) if here else [], environment)
    status, said = view.execute(app.id, ROTATE)
    if status != 0:
        raise UserError(
            f"The keys of {environment} were not rotated.",
            cause=said.strip(),
            remedy="What was encrypted anew stays readable; mend the cause and run it again.",
        )
    done = json.loads(said.splitlines()[-1])
    if as_json:
        typer.echo(json.dumps({"environment": environment, **done}))
        return
    out.print(
        f"{environment}: {done['connections']} connections are encrypted under the new key {done['key']};"
        f" {done['retired']} old keys are gone.",
        highlight=False,
    )


def running_app(containers: list[ContainerView], environment: str) -> ContainerView:
    """Return the environment's app.

    Args:
        containers: The environment's containers.
        environment: Its name.

    Returns:
        The app's container.

    Raises:
        UserError: It isn't running.
    """
    for one in containers:
        if one.component == APP and one.state == "running":
            return one
    raise UserError(
        f"The app of {environment} is not running.", remedy=f"Bring it up first: `./dashtam up {environment}`."
    )
