"""`dashtam up`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.commands.parameters import AsJson, EnvironmentsAndServices, NoInstall, WaitTimeout, environments_and_services
from cli.core.errors import UsageError
from cli.environments import named_environments
from cli.operations import hooks, session
from cli.operations.up import up as bring_up
from cli.operations.up_report import report

app = typer.Typer(add_completion=False)


@app.command(
    "up",
    epilog="Examples: ./dashtam up dev; ./dashtam up dev test --wait-timeout 5m; ./dashtam up dev --name feature-x;"
    " ./dashtam up dev postgres redis",
)
def up(
    words: EnvironmentsAndServices,
    *,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Make another environment of this name from the same config, on free ports."),
    ] = None,
    wait_timeout: WaitTimeout = None,
    no_install: NoInstall = False,
    as_json: AsJson = False,
) -> None:
    """Start environments; set up this machine if needed, and wait until every service is healthy.

    Environments come first, then services. With services, only these and what they need run, in each environment; the
    others end, and their data, secrets and certificates stay. Without, all run.
    """
    environments, services = environments_and_services(words)
    if name is not None and len(words) - len(services) != 1:
        raise UsageError("--name needs exactly one environment.", remedy=f"./dashtam up dev --name {name}")
    here = session.prepare(install=not no_install)
    if name is not None:
        named_environments.make(here.pulumi, here.engine, here.clone, environments[0], name)
        environments = [name]
    found = bring_up(here, *environments, services=services, timeout=wait_timeout)
    for environment in environments:
        hooks.run_healthy(here, environment)
    report(here, found, as_json=as_json)
