"""`dashtam up`."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Annotated

import typer
from rich.table import Table

from cli.commands.arguments import EnvironmentsAndServices, environments_and_services
from cli.commands.options import AsJson, NoInstall, WaitTimeout, print_json
from cli.core.errors import UsageError
from cli.environments import named_environments
from cli.operations import hooks, session
from cli.operations.session import Session
from cli.operations.up import up as bring_up
from cli.ui.console import announce, err
from infra.endpoints import address
from infra.naming import DEBUGGER, SERVICES
from infra.outputs import PublicOutputs

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
        raise UsageError("--name needs exactly one environment.", remedy="./dashtam up dev --name NAME")
    here = session.prepare(install=not no_install)
    if name is not None:
        named_environments.make(here.pulumi, here.engine, here.clone, environments[0], name)
        environments = [name]
    found = bring_up(here, *environments, services=services, timeout=wait_timeout)
    for environment in environments:
        hooks.run_healthy(here, environment)
    report(here, found, as_json=as_json)


def report(here: Session, found: Sequence[PublicOutputs], *, as_json: bool) -> None:
    """Print what runs in environments, and where."""
    if as_json:
        print_json({"environments": [outputs.model_dump(mode="json") for outputs in found]})
        return
    publishes_here = here.engine.publishes_here()
    for outputs in found:
        err.print(summary(outputs))
        if warning := reach(outputs, publishes_here=publishes_here):
            announce(warning)


def summary(outputs: PublicOutputs) -> Table:
    """Return what runs where."""
    addresses = {
        "app": outputs.urls.app or outputs.internal_urls.app,
        "callback": outputs.urls.callback or outputs.internal_urls.callback,
        "sandbox": outputs.urls.sandbox or outputs.internal_urls.sandbox,
        "postgres": _address(outputs, outputs.ports.postgres, "postgres:5432"),
        "redis": _address(outputs, outputs.ports.redis, "redis:6379"),
    }
    table = Table(title=f"{outputs.environment} is up", title_justify="left", box=None, pad_edge=False)
    for heading in ("service", "address", "container"):
        table.add_column(heading, overflow="fold")
    for service in SERVICES:
        if container := getattr(outputs.containers, service):
            table.add_row(service, addresses[service], container)
    if outputs.ports.debugger:
        table.add_row(DEBUGGER, address(outputs.client_host, outputs.ports.debugger), outputs.containers.app)
    return table


def reach(outputs: PublicOutputs, *, publishes_here: bool) -> str:
    """Return a line on ports that other computers reach, or this one doesn't; empty where neither is so."""
    name = outputs.environment
    if not any(outputs.ports.model_dump().values()):
        return ""
    if not ip_address(outputs.bind_address).is_loopback:
        return f"{name} is reachable from the network: its ports are published on {outputs.bind_address}."
    if publishes_here:
        return ""
    return (
        f"The Docker engine is on another computer, and publishes the ports of {name} to that alone. To reach them from"
        f" here, set bind_address and hostname of dashtam:network in Pulumi.{name}.yaml, or forward the ports."
    )


def _address(outputs: PublicOutputs, port: int | None, internal: str) -> str:
    return address(outputs.client_host, port) if port else f"{internal} (in the network only)"
