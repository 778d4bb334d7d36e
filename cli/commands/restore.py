"""`dashtam restore`."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from typing import Annotated

import typer
from rich.filesize import decimal

from cli.commands.parameters import AsJson, Environment, NoSnapshot, Yes
from cli.core.errors import UsageError
from cli.environments import handle, targets
from cli.ui import questions
from cli.ui.console import announce
from cli.ui.json_result import print_json
from cli.ui.output_files import STREAM

app = typer.Typer(add_completion=False)


@app.command("restore", epilog="Example: ./dashtam restore dev dev.backup")
def restore(
    environment: Environment,
    file: Annotated[str, typer.Argument(help="What `./dashtam backup` or pg_dump wrote; - for standard input.")],
    *,
    yes: Yes = False,
    no_snapshot: NoSnapshot = False,
    as_json: AsJson = False,
) -> None:
    """Replace an environment's database with a backup or an ordinary dump: whole, or not at all.

    A snapshot is taken first. The file is verified and loaded beside the database there is, which is dropped only once
    the service is healthy with the new one. Settings by ALTER DATABASE stay as they are in the environment; owners and
    privileges (GRANT) are not restored. Linked accounts of another clone or machine come back as revoked: their tokens
    can't be read here, and they must be linked again.
    """
    from cli.data.backups import source  # noqa: PLC0415 - slow to import
    from cli.operations import restore_backup, snapshot_before_loss  # noqa: PLC0415 - slow to import

    there = handle.of(environment)
    if not no_snapshot and targets.is_swarm(environment):
        without = f"./dashtam restore {environment} {shlex.quote(file)} --no-snapshot"
        raise snapshot_before_loss.impossible(environment, without)
    if not yes and file == STREAM:
        raise UsageError(
            "Standard input is the backup, so it can't answer the question.",
            remedy=f"Add --yes: `./dashtam restore {environment} - --yes`.",
        )
    source.require(file)
    if not yes:
        snapshot = not no_snapshot and snapshot_before_loss.has_data(there)
        consequence = snapshot_before_loss.consequence(snapshot=snapshot)
        questions.confirm(f"Replace {environment}'s database with {file}? {consequence}", as_json=as_json)
    done = restore_backup.restore(there, file, snapshot=not no_snapshot)
    if as_json:
        print_json(asdict(done))
        return
    announce(
        f"{environment}: {_origin(done.made_of, file)} is in place, {decimal(done.bytes)} in {done.seconds:.1f} s.",
    )
    if done.lost:
        announce(f"The tokens of {done.lost} linked accounts can't be read here: link these accounts again.")


def _origin(made_of: str | None, file: str) -> str:
    return f"the backup of {made_of}" if made_of else "the dump" if file == STREAM else file
