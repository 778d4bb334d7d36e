"""`dashtam keys`: the keys that linked accounts' tokens are encrypted under."""

from __future__ import annotations

import typer

from cli.commands.parameters import AsJson, Environment
from cli.environments import handle
from cli.operations import app_programs
from cli.ui.console import announce
from cli.ui.json_result import print_json

app = typer.Typer(
    help="Rotate the keys that encrypt tokens.",
    epilog="Example: ./dashtam keys rotate dev",
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def group() -> None:
    """Keep `rotate` a command of a group."""


@app.command("rotate", epilog="Example: ./dashtam keys rotate dev")
def rotate(
    environment: Environment,
    *,
    as_json: AsJson = False,
) -> None:
    """Encrypt every token with a new key while the environment runs; no read fails meanwhile."""
    done = app_programs.rotate_keys(handle.of(environment))
    if as_json:
        print_json({"environment": environment, **done})
        return
    announce(
        f"{environment}: {done['connections']} connections are encrypted under the new key {done['key']};"
        f" {done['retired']} old keys were deleted."
    )
    if done["unreadable"]:
        announce(f"{done['unreadable']} connections can't be read: link their accounts again.")
