"""`dashtam backup`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.filesize import decimal

from cli.commands.parameters import AsJson, Environment, YesReplace
from cli.environments import handle
from cli.ui import output_files
from cli.ui.console import announce
from cli.ui.json_result import print_json

app = typer.Typer(add_completion=False)


@app.command("backup", epilog="Examples: ./dashtam backup dev dev.backup; ./dashtam backup dev - | ssh host 'cat > b'")
def backup(
    environment: Environment,
    file: Annotated[str, typer.Argument(help="The file to write; - for standard output.")],
    *,
    yes: YesReplace = False,
    as_json: AsJson = False,
) -> None:
    """Write an environment's database to one file: a compressed `pg_dump` archive, with a checksum at its end.

    It can be restored into any environment, in any clone, on any machine. The tokens of linked accounts are encrypted
    in it, and only this clone can read them again; elsewhere those accounts must be linked again. Redis is not in it.
    A file that exists is replaced only after a question; a pipe or a device is written to.
    """
    from cli.data.backups import dump  # noqa: PLC0415 - only what makes one needs it

    there = handle.of(environment)
    output_files.ask(file, yes=yes, as_json=as_json)
    made = dump.backup(there, file)
    if as_json and output_files.descriptor(file) is None:
        print_json(asdict(made))
        return
    announce(f"{environment}: {decimal(made.bytes)} in {made.seconds:.1f} s, SHA-256 of the archive {made.sha256}.")
