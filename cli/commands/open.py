"""`dashtam open`."""

from __future__ import annotations

import webbrowser
from enum import StrEnum
from typing import Annotated

import typer

from cli.commands.parameters import AsJson, Environment
from cli.core.errors import UserError
from cli.environments import handle, states
from cli.environments.configuration import configuration
from cli.environments.handle import EnvironmentHandle
from cli.ui.console import announce
from cli.ui.json_result import print_json

app = typer.Typer(add_completion=False)


class Page(StrEnum):
    """What can be opened."""

    APP = "app"
    DOCS = "docs"
    CALLBACK = "callback"
    SANDBOX = "sandbox"


@app.command("open", epilog="Examples: ./dashtam open dev; ./dashtam open dev docs")
def open_page(
    environment: Environment,
    page: Annotated[Page, typer.Argument(help="app, docs, callback or sandbox.")] = Page.APP,
    *,
    as_json: AsJson = False,
) -> None:
    """Open an environment's app, API docs, callback server or sandbox in your browser, and print the URL."""
    service = "app" if page is Page.DOCS else page.value
    there = handle.of(environment)
    is_published = any(there.running(service).ports.values())
    urls = states.read(there.clone, environment).outputs.get("urls") or {} if is_published else {}
    url = urls.get(page.value)
    if not url:
        raise _unpublished(there, service)
    if not as_json:
        typer.echo(url)  # first: a browser in a terminal takes it over
    opened = webbrowser.open(url)
    if as_json:
        print_json({"environment": environment, "page": page.value, "url": url, "opened": opened})
    elif not opened:
        announce("There is no browser to open it in.")


def _unpublished(there: EnvironmentHandle, service: str) -> UserError:
    """Return the error for a service that this machine doesn't reach; in an internal network none can have a port."""
    environment = there.name
    port = f" Or set dashtam:{service}.port in Pulumi.{environment}.yaml, and run `./dashtam up {environment}`."
    is_internal = configuration(there.clone.root, environment).network.internal
    return UserError(
        f"The {service} of {environment} is not published on this machine.",
        cause=f"Pulumi.{environment}.yaml gives dashtam:{service} no port: it is reached in its network only.",
        remedy=f"Open a shell in its network: `./dashtam shell {environment} {service}`.{'' if is_internal else port}",
    )
