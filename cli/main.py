"""The `dashtam` command: its commands, and how their failures are printed."""

from __future__ import annotations

import gc
import json
import os
import sys
from typing import Annotated

import typer

from cli import completion
from cli import help as usage
from cli.core import signals, translate_exception
from cli.core.dev_null import discard
from cli.core.errors import FAILED, USAGE, UsageError, UserError
from cli.lazy_commands import SUMMARIES, Commands, LazyGroup

FEW_COLLECTIONS = 100_000
"""Objects between two of Python's garbage collections: imports make many, all to stay."""

completion.complete_by_path()

app = typer.Typer(
    name="dashtam",
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["--help", "-h"]},  # commands inherit it
    epilog="Start with `./dashtam up dev`. If something is wrong, `./dashtam doctor` names the cause and the remedy.",
)


def _print_version(wanted: bool) -> None:
    from importlib.metadata import version  # noqa: PLC0415 - slow to import

    if wanted:
        typer.echo(f"dashtam {version('dashtam')}")
        raise typer.Exit


@app.callback()
def dashtam(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Dashtam's environments on your machine: dev, test and ci, each a stack of one Pulumi program."""


def run() -> None:
    """Run the command line, and end at once: to free what nothing uses any more takes up to a tenth of a second."""
    gc.set_threshold(FEW_COLLECTIONS)
    try:
        main()
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        try:
            _flush()
        except (OSError, ValueError):
            os._exit(end.code or FAILED)
        os._exit(end.code)


def main() -> None:
    """Run the command line; what a user can do something about ends with a message, never with a traceback."""
    if os.environ.get("NO_COLOR"):
        # Typer's help is bold and dim all the same, unless it takes a terminal for none.
        os.environ["_TYPER_FORCE_DISABLE_TERMINAL"] = "1"
    with signals.raised():
        sys.exit(_run())


def _run() -> int:
    try:
        status = app(standalone_mode=False) or 0
        _flush()
    except UserError as error:
        return _failed(error)
    except typer.Abort:
        status = FAILED  # the answer to a question was no, or a signal came at the prompt
        if not signals.status():
            typer.echo("Aborted.", err=True)
    except typer.TyperException as error:
        wrong = _wrong_usage(error)
        return _failed(wrong) if wrong.message else USAGE  # where nothing was given, Typer has printed the help
    except Exception as error:
        explained = translate_exception.explain(error)
        if explained is None:
            raise
        return _failed(explained)
    if status and (signals.status() or status == signals.INTERRUPTED):
        interrupted = UserError("Interrupted.", remedy="Run the same command again to continue.")
        # Without Rich: an import that was interrupted may not be possible again.
        typer.echo(f"{interrupted.message} {interrupted.remedy}", err=True)
        _answer(interrupted)
        return signals.status() or signals.INTERRUPTED
    return int(status)


def _wrong_usage(error: typer.TyperException) -> UserError:
    context = getattr(error, "ctx", None)
    named = " ".join([usage.COMMAND, *(one for one in sys.argv[1:2] if one in SUMMARIES)])
    command = context.command_path if context else named
    message = usage.plain(getattr(error, "format_message", error.__str__)())
    return UsageError(message, remedy=f"See `{command} --help`.")


def _failed(error: UserError) -> int:
    show(error)
    _answer(error)
    return signals.status() or error.exit_status


def _answer(error: UserError) -> None:
    """Print a failure for a program where it asked for JSON: on one line, as `logs` has a document a line."""
    try:
        if _wants_json():
            document = {"message": error.message, "cause": error.cause, "remedy": error.remedy}
            typer.echo(json.dumps({"error": document}))
        _flush()
    except OSError:
        discard(sys.stdout.fileno())


def _flush() -> None:
    for stream in (sys.stderr, sys.stdout):
        try:
            if stream:  # None where a shell has closed it
                stream.flush()
        except BrokenPipeError:  # the reader has enough, as `head` has
            discard(stream.fileno())  # the rest in the buffer must not fail the end of the process


def _wants_json() -> bool:
    """Return whether `--json` is given to the command itself, and not to a program that it runs."""
    name = next(iter(sys.argv[1:]), "")
    commands = Commands()
    runs_another = commands.has_imported(name) and commands[name].context_settings.get("ignore_unknown_options")
    return "--json" in sys.argv and not runs_another


def show(error: UserError) -> None:
    """Print a failure with its cause and its remedy."""
    from rich.text import Text  # noqa: PLC0415 - only what fails needs it

    from cli.ui.console import advise, err  # noqa: PLC0415

    err.print(Text.assemble(("Error:", "bold red"), " ", error.message))
    if error.cause:
        err.print(error.cause)
    if error.remedy:
        advise(error.remedy)
