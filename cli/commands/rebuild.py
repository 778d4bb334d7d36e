"""`dashtam rebuild`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.commands.arguments import Environment, Services
from cli.commands.options import AsJson, NoInstall
from cli.commands.up import summary
from cli.environments.configuration import configuration, require_configured
from cli.images import rebuild as images
from cli.operations import session
from cli.operations.up import up
from cli.ui.console import err, out
from infra import recipes

app = typer.Typer(add_completion=False)


@app.command("rebuild", epilog="Examples: ./dashtam rebuild dev app; ./dashtam rebuild dev --no-cache")
def rebuild(
    environment: Environment,
    services: Services = None,
    *,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Use nothing of what was built before.")] = False,
    no_install: NoInstall = False,
    as_json: AsJson = False,
) -> None:
    """Build services' images anew, then bring the environment up with them. `up` does it where the source changed."""
    here = session.prepare(install=not no_install)
    require_configured(environment, here.clone.root)
    settings = configuration(here.clone.root, environment)
    chosen = {
        stage: recipes.build_arguments(stage, settings.images, here.environ)
        for stage in images.stages(settings, services or ())
    }
    images.rebuild(here.client, chosen, cache=not no_cache)
    (outputs,) = up(here, environment)
    if as_json:
        out.print_json(outputs.public())
    else:
        err.print(summary(outputs))
