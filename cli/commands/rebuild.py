"""`dashtam rebuild`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.commands.parameters import AsJson, EnvironmentsAndServices, NoInstall, WaitTimeout, environments_and_services
from cli.environments.configuration import configuration, require_configured
from cli.images import rebuild as images
from cli.images.rebuild import Image
from cli.operations import session
from cli.operations.up import up
from cli.operations.up_report import report

app = typer.Typer(add_completion=False)


@app.command("rebuild", epilog="Examples: ./dashtam rebuild dev app; ./dashtam rebuild dev test --no-cache")
def rebuild(
    words: EnvironmentsAndServices,
    *,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Use nothing of what was built before.")] = False,
    wait_timeout: WaitTimeout = None,
    no_install: NoInstall = False,
    as_json: AsJson = False,
) -> None:
    """Build services' images again, and start the environments with them; `up` does it where the source changed."""
    environments, services = environments_and_services(words)
    here = session.prepare(install=not no_install)
    here.require_images()
    chosen: dict[str, Image] = {}
    for environment in environments:
        require_configured(environment, here.clone.root)
        chosen |= images.chosen(configuration(here.clone.root, environment), services, here.environ)
    images.rebuild(here.client, chosen, cache=not no_cache)
    report(here, up(here, *environments, timeout=wait_timeout), as_json=as_json)
