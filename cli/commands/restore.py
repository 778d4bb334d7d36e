"""`dashtam restore`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from cli import target
from cli.commands.arguments import Environment
from cli.commands.options import AsJson
from cli.console import err, out
from cli.errors import UserError
from cli.images.engine import connect
from cli.output_files import STREAM
from cli.transfers import megabytes

app = typer.Typer(add_completion=False)


@app.command("restore", epilog="Example: ./dashtam restore dev dev.backup")
def restore(
    environment: Environment,
    file: Annotated[str, typer.Argument(help="What `./dashtam backup` wrote; - for standard input.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of an environment's database: whole, or not at all.

    All of it is verified and loaded beside the database there is, before that is replaced. Linked accounts of another
    clone or machine come back as revoked: their tokens can't be read here, and they must be linked anew.
    """
    from cli.backups import load  # noqa: PLC0415 - only what puts one back needs it

    there = target.of(environment)
    if not yes and file == STREAM:
        raise UserError("Give --yes.", cause="Standard input is the backup, so nobody can be asked.", exit_status=2)
    if not yes:
        typer.confirm(f"The database that {environment} has now goes. Put {file} in its place?", abort=True, err=True)
    done = load.restore(connect(), there, file)
    if as_json:
        typer.echo(json.dumps(asdict(done)))
        return
    out.print(
        f"{environment}: the backup of {done.made_of} is in place, {megabytes(done.bytes)} in {done.seconds:.1f} s.",
        highlight=False,
        markup=False,
    )
    if done.lost:
        err.print(
            f"The tokens of {done.lost} linked accounts can't be read here: link these accounts anew.", highlight=False
        )
