"""Options that several commands share, and how their results are printed for scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated

import typer

from cli.core.durations import seconds


def timeout(text: str) -> float:
    """Return the seconds of a duration."""
    try:
        return seconds(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.") from None


NoInstall = Annotated[
    bool, typer.Option("--no-install", help="Install nothing on this machine; what is missing is an error.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, errors too; never prompt.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
NoSnapshot = Annotated[
    bool, typer.Option("--no-snapshot", help="Take no snapshot of the data that is replaced: it is lost.")
]
WaitTimeout = Annotated[
    float | None,
    typer.Option(
        parser=timeout,
        metavar="DURATION",
        help="Fail if they aren't healthy within this time, such as 90s, 5m or 1h; nothing is rolled back."
        " Without it, each service has dashtam:health.wait.",
    ),
]


def print_json(document: Mapping[str, object]) -> None:
    """Print a command's result: one object per call."""
    typer.echo(json.dumps(document, indent=2))
