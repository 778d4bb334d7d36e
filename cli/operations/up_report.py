"""What `up` and `rebuild` print of the environments that they have brought up."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from rich.table import Table

from cli.operations.session import Session
from cli.ui.console import announce, err
from cli.ui.json_result import print_json
from infra.endpoints import address
from infra.naming import DEBUGGER, SERVICES
from infra.outputs import PublicOutputs


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
