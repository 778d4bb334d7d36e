"""The `dashtam` command: what the operator commands are, and how their failures are told."""

from __future__ import annotations

import sys

import typer
from docker.errors import DockerException

from cli.commands import destroy, doctor, env, status, test, up
from cli.commands.keys import keys
from cli.console import err
from cli.errors import UserError
from cli.images.commands import app as images

app = typer.Typer(
    name="dashtam",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Dashtam's environments on your machine: dev, test and ci, each a stack of one Pulumi program.",
    epilog="Start with `./dashtam up dev`. If something is wrong, `./dashtam doctor` says what and how to mend it.",
)
up.register(app)
test.register(app)
status.register(app)
env.register(app)
doctor.register(app)
destroy.register(app)
app.add_typer(images, name="images")
app.add_typer(keys, name="keys")

INTERRUPTED = 130
"""The exit status after a Ctrl-C, as in a shell."""


def main() -> None:
    """Run the command line; a user's mistake ends with a message, never with a traceback."""
    try:
        app()
    except UserError as error:
        show(error)
        sys.exit(error.exit_status)
    except DockerException as error:
        show(UserError("The Docker engine refused.", cause=str(error), remedy="`./dashtam doctor` tells more."))
        sys.exit(1)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            err.print("Interrupted. Run the same command again to go on from here.", highlight=False)
        raise


def show(error: UserError) -> None:
    """Tell a failure with its cause and the way out.

    Args:
        error: The failure.
    """
    err.print(f"[bold red]Error:[/] {_literal(error.message)}", highlight=False)
    if error.cause:
        err.print(_literal(error.cause), highlight=False)
    if error.remedy:
        err.print(f"[bold]What to do:[/] {_literal(error.remedy)}", highlight=False)


def _literal(text: str) -> str:
    return text.replace("[", r"\[")
