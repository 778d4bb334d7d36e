"""`dashtam down`."""

from __future__ import annotations

import typer

from cli.commands.parameters import AsJson, Environments, NoInstall
from cli.operations import session
from cli.operations.down import down as take_down
from cli.ui.console import announce
from cli.ui.json_result import print_json

app = typer.Typer(add_completion=False)


@app.command("down", epilog="Example: ./dashtam down dev; ./dashtam up dev")
def down(environments: Environments, *, no_install: NoInstall = False, as_json: AsJson = False) -> None:
    """Remove environments' services and networks; data, passwords and certificates stay for the next `up`."""
    here = session.prepare(install=not no_install, needs="engine")
    chosen = list(dict.fromkeys(environments))
    take_down(here, *chosen)
    if as_json:
        print_json({"environments": [{"environment": environment} for environment in chosen]})
        return
    for environment in chosen:
        announce(f"{environment} is down. `./dashtam up {environment}` starts it again, with its data.")
