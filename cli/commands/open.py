"""`dashtam open`."""

from __future__ import annotations

import webbrowser
from enum import StrEnum
from typing import Annotated

import typer

from cli.commands.parameters import AsJson, Environment
from cli.core.errors import UserError
from cli.environments import handle, states
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
    page: Annotated[Page, typer.Argument(help="What to open.")] = Page.APP,
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
        raise UserError(
            f"The {service} of {environment} is not published on this machine.",
            cause=f"Pulumi.{environment}.yaml gives dashtam:{service} no port: it is reached in its network only.",
            remedy=f"Look from inside: `./dashtam shell {environment} {service}`. Or give it a port.",
        )
    if not as_json:
        typer.echo(url)  # first: a browser in a terminal takes it over
    opened = webbrowser.open(url)
    if as_json:
        print_json({"environment": environment, "page": page.value, "url": url, "opened": opened})
    elif not opened:
        announce("There is no browser to open it in.")
