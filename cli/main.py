"""The `dashtam` command: what the operator commands are, and how their failures are told."""

from __future__ import annotations

import os
import sys

import typer

from cli import completion
from cli.core import signals, translate_exception
from cli.core.errors import UserError
from cli.lazy_commands import LazyGroup

completion.complete_by_path()

app = typer.Typer(
    name="dashtam",
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Start with `./dashtam up dev`. If something is wrong, `./dashtam doctor` says what and how to fix it.",
)


@app.callback()
def dashtam() -> None:
    """Dashtam's environments on your machine: dev, test and ci, each a stack of one Pulumi program."""


def main() -> None:
    """Run the command line; what a user can mend ends with a message, never with a traceback."""
    if os.environ.get("NO_COLOR"):
        # Typer's help is bold and dim all the same, unless it takes a terminal for none.
        os.environ["_TYPER_FORCE_DISABLE_TERMINAL"] = "1"
    with signals.raised():
        sys.exit(_run())


def _run() -> int:
    try:
        app()
    except UserError as error:
        return _failed(error)
    except SystemExit as end:
        if not end.code or (end.code != signals.INTERRUPTED and not signals.status()):
            raise
        # Typer's is that of Ctrl-C for any signal, and another one at a prompt.
        _say("Interrupted. Run the same command again to go on from here.")
        return signals.status() or signals.INTERRUPTED
    except Exception as error:
        explained = translate_exception.explain(error)
        if explained is None:
            raise
        return _failed(explained)
    return 0


def _failed(error: UserError) -> int:
    show(error)
    return signals.status() or error.exit_status


def show(error: UserError) -> None:
    """Tell a failure with its cause and the way out.

    Args:
        error: The failure.
    """
    _say(f"[bold red]Error:[/] {_literal(error.message)}")
    if error.cause:
        _say(_literal(error.cause))
    if error.remedy:
        _say(f"[bold]What to do:[/] {_literal(error.remedy)}")


def _say(text: str) -> None:
    from cli.ui.console import err  # noqa: PLC0415 - only what fails needs it

    err.print(text, highlight=False)


def _literal(text: str) -> str:
    return text.replace("[", r"\[")
