"""Questions before something is replaced or deleted."""

from __future__ import annotations

import sys

import typer

from cli.core.errors import UsageError, UserError


def confirm(question: str, *, as_json: bool = False) -> None:
    """Ask whether to continue; an answer of no ends the command."""
    if as_json:
        raise UsageError("--json can't prompt.", cause=question, remedy="Add --yes.")
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        typer.echo(err=True)  # ends the question's line
        raise UserError(
            "The question was not answered; nothing was changed.",
            cause="Standard input is closed or empty.",
            remedy="Add --yes.",
        ) from None
    if not agreed:
        raise typer.Abort
