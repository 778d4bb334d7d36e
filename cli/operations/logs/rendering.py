"""How an entry of a log is shown: a line with its service in front, in one colour a service, or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.style import Style

from cli.engine.container import Source, rank
from cli.operations.logs.entries import Entry

COLOURS = ("blue", "red", "green", "magenta", "cyan", "yellow")
"""Of the services, in their order: the same in every environment and on every day."""

Show = Callable[[Entry], str]


def lines(console: Console, labels: Sequence[str], *, timestamps: bool) -> Show:
    """Show entries for people; `labels` are those of the sources that are known."""
    width = max(map(len, labels))
    prefixes: dict[str, str] = {}

    def show(entry: Entry) -> str:
        source, time = entry.source, f"{entry.time} " if timestamps else ""
        if source.label not in prefixes:
            prefixes[source.label] = _prefix(source, width, console)
        return f"{prefixes[source.label]}{time}{entry.text}"

    return show


def _prefix(source: Source, width: int, console: Console) -> str:
    text = f"{source.label:<{width}} | "
    if console.color_system is None or console.no_color:
        return text
    return Style(color=COLOURS[rank(source.service)]).render(text)


def as_json(entry: Entry) -> str:
    """Show an entry for scripts: a JSON object on a line of its own."""
    source = entry.source
    return json.dumps(
        {"time": entry.time, "service": source.service, "container": source.name, "line": entry.text},
        ensure_ascii=False,
    )
