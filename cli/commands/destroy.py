"""`dashtam destroy`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from cli import lifecycle, session
from cli.commands.arguments import Environment
from cli.commands.options import AsJson, NoInstall
from cli.console import err
from cli.pulumi import require_configured
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

    Where it keeps data, a snapshot is taken first, which `./dashtam snapshot restore` puts back; then it asks.
    """
    require_configured(environment)
    here = session.prepare(install=not no_install)
    snapshot = None
    if no_snapshot:
        _ask(here, environment, yes=yes, kept=False)
    else:
        from cli.snapshots.farewell import farewell  # noqa: PLC0415 - only where there is something to keep

        with farewell(here, environment) as taken:
            _ask(here, environment, yes=yes or taken is None, kept=True)
            snapshot = asdict(taken) if taken else None
    lifecycle.destroy(here, environment)
    if authority.trusted(here.clone, environment):
        err.print(f"Its CA is still trusted by this machine: `./dashtam untrust {environment}`.", highlight=False)
    if as_json:
        typer.echo(json.dumps({"environment": environment, "snapshot": snapshot}))
        return
    err.print(f"{environment} is removed.", highlight=False)


def _ask(here: session.Session, environment: str, *, yes: bool, kept: bool) -> None:
    if yes:
        return
    outputs = here.pulumi.outputs(environment)
    if kept:
        typer.confirm(f"Remove {environment}? Only the snapshot stays.", abort=True, err=True)
    elif outputs and outputs.volumes:
        volumes = ", ".join(outputs.volumes.values())
        typer.confirm(f"{environment} keeps data in {volumes}. Remove it for good?", abort=True, err=True)
