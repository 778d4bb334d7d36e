"""`dashtam destroy`."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict
from typing import Annotated

import typer

from cli.commands.arguments import Environment
from cli.commands.options import AsJson, NoInstall
from cli.environments import handle
from cli.operations import session
from cli.trust_stores import authority
from cli.ui import questions
from cli.ui.console import err

app = typer.Typer(add_completion=False)


@app.command("destroy", epilog="Example: ./dashtam destroy test")
def destroy(  # noqa: PLR0913 - each an option of the command
    environment: Environment,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask; a snapshot is taken all the same.")] = False,
    no_snapshot: Annotated[bool, typer.Option("--no-snapshot", help="Take no snapshot: its data is gone.")] = False,
    engine_lost: Annotated[
        bool, typer.Option("--engine-lost", help="The Docker engine that it is on no longer exists: forget it.")
    ] = False,
    no_install: NoInstall = False,
    as_json: AsJson = False,
) -> None:
    """Remove an environment with everything in it, like `pulumi destroy`.

    Where it keeps data, it asks. Then a snapshot is taken first, which `./dashtam snapshot restore` puts back.
    """
    handle.require(environment)
    here = session.prepare(install=not no_install, images=False)
    from cli.operations.destroy import Removal  # noqa: PLC0415 - what takes snapshots is slow to import

    removal = Removal(here, environment, engine_lost)
    data = removal.data()
    if engine_lost and not yes and removal.is_elsewhere():
        questions.confirm(
            f"{environment} is on another Docker engine. Forget it, with the passwords and keys without which its data"
            " there can't be read?",
            as_json=as_json,
        )
    if data and not yes:
        questions.confirm(_question(environment, data, snapshot=not no_snapshot), as_json=as_json)
    taken = removal.run(None if yes else data, snapshot=not no_snapshot)
    if authority.trusted(here.clone, environment):
        err.print(f"Its CA is still trusted by this machine: `./dashtam untrust {environment}`.", highlight=False)
    if as_json:
        typer.echo(json.dumps({"environment": environment, "snapshot": asdict(taken) if taken else None}))
        return
    err.print(f"{environment} is removed.", highlight=False)


def _question(environment: str, data: Collection[str], *, snapshot: bool) -> str:
    volumes = ", ".join(sorted(data))
    question = "Take a snapshot, and remove it?" if snapshot else "Remove it for good?"
    return f"{environment} keeps data in {volumes}. {question}"
