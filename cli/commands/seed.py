"""`dashtam seed`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.commands.parameters import AsJson, Environment
from cli.environments import handle
from cli.operations.seed import add_samples, run_file
from cli.ui.console import announce
from cli.ui.json_result import print_json

app = typer.Typer(add_completion=False)


@app.command("seed", epilog="Examples: ./dashtam seed dev; ./dashtam seed dev accounts.sql")
def seed(
    environment: Environment,
    file: Annotated[
        str | None, typer.Argument(help="A file of SQL, as psql reads it, - for standard input; sample data if absent.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Put data into an environment's database, in one transaction: sample accounts, or a file of SQL.

    The samples are added where they aren't there yet, so it can be run again.
    """
    there = handle.of(environment)
    if file is None:
        done = add_samples(there)
        message = f"{done['connections']} sample accounts were added."
    else:
        run_file(there, file)
        done, message = {"file": file}, f"{file} was run."
    if as_json:
        print_json({"environment": environment, **done})
        return
    announce(f"{environment}: {message}")
