"""`dashtam up`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from cli.commands.arguments import Environments
from cli.commands.options import AsJson, NoInstall
from cli.core.durations import seconds
from cli.core.errors import UserError
from cli.environments import named_environments
from cli.operations import session
from cli.operations.up import up as bring_up
from cli.ui.console import err, out
from infra.naming import SERVICES
from infra.outputs import StackOutputs

app = typer.Typer(add_completion=False)


def timeout(text: str) -> float:
    """Return the seconds of a duration."""
    try:
        return seconds(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.") from None


@app.command(
    "up",
    epilog="Examples: ./dashtam up dev; ./dashtam up dev test --wait-timeout 5m; ./dashtam up dev --name feature-x",
)
def up(
    environments: Environments,
    *,
    name: Annotated[
        str | None,
        typer.Option(help="Make a further environment of this name from the same config, on free ports of its own."),
    ] = None,
    wait_timeout: Annotated[
        float | None,
        typer.Option(
            parser=timeout,
            metavar="DURATION",
            help="Give up if they aren't healthy so long after the start, such as 90s or 5m; what was done stays."
            " Without it each service has `wait` of dashtam:health.",
        ),
    ] = None,
    no_install: NoInstall = False,
    as_json: AsJson = False,
) -> None:
    """Bring environments up: set this machine up if needed, then wait until every service is healthy."""
    if name is not None and len(environments) != 1:
        raise UserError("--name goes with one environment.", remedy="./dashtam up dev --name NAME", exit_status=2)
    here = session.prepare(install=not no_install)
    if name is not None:
        named_environments.make(here.pulumi, here.engine, here.clone, environments[0], name)
        environments = [name]
    chosen = list(dict.fromkeys(environments))
    for outputs in bring_up(here, *chosen, timeout=wait_timeout):
        if as_json:
            out.print_json(outputs.public())
        else:
            err.print(summary(outputs))


def summary(outputs: StackOutputs) -> Table:
    """Return what runs where."""
    addresses = {
        "app": outputs.urls.app or outputs.internal_urls.app,
        "callback": outputs.urls.callback or outputs.internal_urls.callback,
        "sandbox": outputs.urls.sandbox or outputs.internal_urls.sandbox,
        "postgres": _address(outputs.ports.postgres, "postgres:5432"),
        "redis": _address(outputs.ports.redis, "redis:6379"),
    }
    table = Table(title=f"{outputs.environment} is up", title_justify="left", box=None, pad_edge=False)
    for heading in ("service", "address", "container"):
        table.add_column(heading, overflow="fold")
    for service in SERVICES:
        if container := getattr(outputs.containers, service):
            table.add_row(service, addresses[service], container)
    return table


def _address(port: int | None, internal: str) -> str:
    return f"127.0.0.1:{port}" if port else f"{internal} (in the network only)"
