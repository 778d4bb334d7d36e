"""`dashtam backup`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from cli import target
from cli.backups.source import STREAM
from cli.commands.arguments import Environment
from cli.commands.options import AsJson
from cli.console import err
from cli.images.engine import connect
from cli.transfers import megabytes

app = typer.Typer(add_completion=False)


@app.command("backup", epilog="Examples: ./dashtam backup dev dev.backup; ./dashtam backup dev - | ssh host 'cat > b'")
def backup(
    environment: Environment,
    file: Annotated[str, typer.Argument(help="The file to write; - for standard output.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Write an environment's database to one file: a compressed `pg_dump` archive, with a checksum at its end.

    It can be restored into any environment, in any clone, on any machine. The tokens of linked accounts are encrypted
    in it, and only this clone can read them again; elsewhere those accounts must be linked anew. Redis is not in it.
    """
    from cli.backups import dump  # noqa: PLC0415 - only what makes one needs it

    made = dump.backup(connect(), target.of(environment), file)
    if as_json and file != STREAM:
        typer.echo(json.dumps(asdict(made)))
        return
    err.print(
        f"{environment}: {megabytes(made.bytes)} in {made.seconds:.1f} s, SHA-256 of the archive {made.sha256}.",
        highlight=False,
    )
