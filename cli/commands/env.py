"""`dashtam env`."""

from __future__ import annotations

import json
import shlex

import typer

from cli import environment, session
from cli.commands.options import AsJson, NoInstall

app = typer.Typer(add_completion=False)


@app.command("env", epilog='Example: eval "$(./dashtam env)"; pulumi up --stack dev')
def env(*, no_install: NoInstall = False, as_json: AsJson = False) -> None:
    """Print what a shell must set so that plain `pulumi` and `pytest` do the same work as this command."""
    here = session.prepare(install=not no_install)
    variables = environment.changes(here.environ)
    if as_json:
        typer.echo(json.dumps(variables, indent=2, sort_keys=True))
        return
    for name, value in sorted(variables.items()):
        typer.echo(f"export {name}={shlex.quote(value)}")
