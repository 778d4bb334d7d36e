"""`dashtam seed`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.commands.arguments import Environment
from cli.commands.options import AsJson
from cli.core import remedies
from cli.core.errors import USAGE, UserError
from cli.engine.connect import connect
from cli.environments import handle
from cli.environments.handle import Target
from cli.ui.console import err

SAMPLES = ("python", "-m", "app.run.seed")

app = typer.Typer(add_completion=False)


@app.command("seed", epilog="Examples: ./dashtam seed dev; ./dashtam seed dev accounts.sql")
def seed(
    environment: Environment,
    file: Annotated[Path | None, typer.Argument(help="A file of SQL, as psql reads it; sample data if absent.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Put data into an environment's database, in one transaction: sample accounts, or what a file of SQL says.

    The samples are added where they aren't there yet, so it can be run again.
    """
    there = handle.of(environment)
    done = _samples(there) if file is None else _file(there, file)
    if as_json:
        typer.echo(json.dumps({"environment": environment, **done}))
    elif file is None:
        err.print(f"{environment}: {done['connections']} sample accounts were added.", highlight=False)
    else:
        err.print(f"{environment}: {file} was run.", highlight=False, markup=False)


def _samples(there: Target) -> dict[str, Any]:
    status, said = there.view.execute(there.running("app").id, SAMPLES)
    if status != 0:
        raise UserError(
            f"{there.environment} got no samples; nothing was changed.",
            cause=said.strip(),
            remedy=remedies.known(said)
            or f"See whether all is well by `./dashtam status {there.environment}`, and run it again.",
        )
    done: dict[str, Any] = json.loads(said.splitlines()[-1])
    return done


def _file(there: Target, file: Path) -> dict[str, Any]:
    from cli.data import database  # noqa: PLC0415 - only a file goes to the database itself
    from cli.engine.streams import CommandError  # noqa: PLC0415

    try:
        sql = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{file} can't be read.", cause=str(error), remedy="Name a file of SQL.", exit_status=USAGE
        ) from None
    held = database.of(connect(), there)
    try:
        held.query(sql)
    except CommandError as error:
        raise UserError(
            f"{file} failed; nothing was changed.",
            cause=error.said,
            remedy=remedies.known(error.said)
            or f"Correct {file}, then run `./dashtam seed {there.environment} {file}` again.",
        ) from None
    return {"file": str(file)}
