"""`dashtam graph`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.parameters import Environment, Output, YesReplace
from cli.environments import handle, states
from cli.operations.graph import mermaid, model, svg
from cli.operations.graph.model import Graph
from cli.ui import output_files
from infra.loopback import LOCALHOST

app = typer.Typer(add_completion=False)


class Format(StrEnum):
    """How the picture is written."""

    SVG = "svg"
    MERMAID = "mermaid"


_RENDER = {Format.SVG: svg.render, Format.MERMAID: mermaid.render}
_BY_SUFFIX = {".mmd": Format.MERMAID, ".mermaid": Format.MERMAID}


@app.command("graph", epilog="Examples: ./dashtam graph dev --output dev.svg; ./dashtam graph dev --format mermaid")
def graph(
    environment: Environment,
    *,
    form: Annotated[Format | None, typer.Option("--format", help="SVG, unless the output is named *.mmd.")] = None,
    output: Output = output_files.STREAM,
    yes: YesReplace = False,
) -> None:
    """Draw an environment as it is in Docker now: services and their connections, network, ports and volumes."""
    render = _RENDER[form or _BY_SUFFIX.get(Path(output).suffix, Format.SVG)]
    output_files.deliver(output, lambda: render(_look(environment)), f"{output} shows {environment}.", yes=yes)


def _look(environment: str) -> Graph:
    there = handle.of(environment)
    documents = there.view.documents(environment, there.clone.id)
    name = there.naming.network
    network = next((one for one in there.view.network_documents() if one["Name"] == name), None)
    if network is None or not there.services():
        raise handle.not_running(environment)
    outputs = states.read(there.clone, environment).outputs
    hostname = outputs.get("hostname") or LOCALHOST
    return model.build(environment, documents, network, outputs.get("images") or {}, hostname)
