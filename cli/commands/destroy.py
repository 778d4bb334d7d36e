"""`dashtam destroy`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import lifecycle, session
from cli.commands.options import NoInstall
from cli.console import err
from cli.pulumi import require_configured
from cli.trust import authority

app = typer.Typer(add_completion=False)


@app.command("destroy", epilog="Example: ./dashtam destroy test")
def destroy(
    environment: Annotated[str, typer.Argument(help="Which environment.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    no_install: NoInstall = False,
) -> None:
    """Remove an environment with everything in it, like `pulumi destroy`; asks first where data would be lost."""
    here = session.prepare(install=not no_install)
    require_configured(environment, here.clone.root)
    outputs = here.pulumi.outputs(environment)
    if outputs and outputs.volumes and not yes:
        volumes = ", ".join(outputs.volumes.values())
        typer.confirm(f"{environment} keeps data in {volumes}. Remove it for good?", abort=True, err=True)
    lifecycle.destroy(here, environment)
    err.print(f"{environment} is removed.", highlight=False)
    if authority.trusted(here.clone, environment):
        err.print(f"Its CA is still trusted by this machine: `./dashtam untrust {environment}`.", highlight=False)
