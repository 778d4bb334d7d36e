"""Questions before something is replaced or deleted."""

from __future__ import annotations

import sys

import typer

from cli.core.errors import UsageError, UserError


def confirm(question: str, *, as_json: bool = False) -> None:
    """Ask whether to continue; an answer of no ends the command."""
    if as_json:
        raise UsageError(question, cause="--json can't prompt.", remedy="Add --yes.")
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        typer.echo(err=True)  # ends the question's line
        raise UserError("Nothing was changed.", cause="Standard input gives no answer.", remedy="Add --yes.") from None
    if not agreed:
        raise typer.Abort
