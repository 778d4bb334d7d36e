"""How an entry of a log is shown: a line with its service in front, in one colour a service, or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.style import Style

from cli.operations.logs.entries import Entry
from infra.naming import SERVICES

COLOURS = ("blue", "red", "green", "magenta", "cyan")
"""Of the services, in the order of `SERVICES`: the same in every environment and on every day."""

Show = Callable[[Entry], str]


def lines(console: Console, services: Sequence[str], *, timestamps: bool) -> Show:
    """Show entries for people."""
    width = max(map(len, services))
    prefixes = {service: _prefix(service, width, console) for service in services}

    def show(entry: Entry) -> str:
        time = f"{entry.time} " if timestamps else ""
        return f"{prefixes[entry.source.service]}{time}{entry.text}"

    return show


def _prefix(service: str, width: int, console: Console) -> str:
    text = f"{service:<{width}} | "
    if console.color_system is None or console.no_color:
        return text
    return Style(color=COLOURS[SERVICES.index(service)]).render(text)


def as_json(entry: Entry) -> str:
    """Show an entry for scripts: a JSON object on a line of its own."""
    source = entry.source
    return json.dumps(
        {"time": entry.time, "service": source.service, "container": source.name, "line": entry.text},
        ensure_ascii=False,
    )
