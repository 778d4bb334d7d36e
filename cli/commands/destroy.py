"""`dashtam destroy`."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict
from typing import Annotated

import typer

from cli import session, target
from cli.commands.arguments import Environment
from cli.commands.options import AsJson, NoInstall
from cli.console import err
from cli.trust import authority

app = typer.Typer(add_completion=False)


@app.command("destroy", epilog="Example: ./dashtam destroy test")
def destroy(
    environment: Environment,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask; a snapshot is taken all the same.")] = False,
    no_snapshot: Annotated[bool, typer.Option("--no-snapshot", help="Take no snapshot: its data is gone.")] = False,
    no_install: NoInstall = False,
    as_json: AsJson = False,
) -> None:
    """Remove an environment with everything in it, like `pulumi destroy`.

    Where it keeps data, it asks. Then a snapshot is taken first, which `./dashtam snapshot restore` puts back.
    """
    target.require(environment)
    here = session.prepare(install=not no_install, images=False)
    from cli.removal import Removal  # noqa: PLC0415 - what takes snapshots is slow to import

    removal = Removal(here, environment)
    data = removal.data()
    if data and not yes:
        _ask(environment, data, snapshot=not no_snapshot)
    taken = removal.run(None if yes else data, snapshot=not no_snapshot)
    if authority.trusted(here.clone, environment):
        err.print(f"Its CA is still trusted by this machine: `./dashtam untrust {environment}`.", highlight=False)
    if as_json:
        typer.echo(json.dumps({"environment": environment, "snapshot": asdict(taken) if taken else None}))
        return
    err.print(f"{environment} is removed.", highlight=False)


def _ask(environment: str, data: Collection[str], *, snapshot: bool) -> None:
    volumes = ", ".join(sorted(data))
    question = "Take a snapshot, and remove it?" if snapshot else "Remove it for good?"
    typer.confirm(f"{environment} keeps data in {volumes}. {question}", abort=True, err=True)
