"""`dashtam logs`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import Annotated

import typer

from cli.commands.parameters import AsJson, Environment, Services
from cli.core import durations, signals
from cli.core.errors import UsageError
from cli.environments import handle
from cli.operations.logs import rendering
from cli.operations.logs.entries import Choice, Entry, history
from cli.ui.console import out
from infra.naming import SERVICES

app = typer.Typer(add_completion=False)


MOST_LINES = 1_000_000_000


@app.command(
    "logs",
    epilog="Examples: ./dashtam logs dev; ./dashtam logs dev app postgres --follow --since 10m --grep 'ERROR|error '",
)
def logs(  # noqa: PLR0913 - an argument for each option
    environment: Environment,
    services: Services = None,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Follow new lines, across restarts, until Ctrl-C.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="WHEN", help="Only lines since WHEN: 90s, 10m, 1h30m, or a time of RFC 3339."),
    ] = None,
    tail: Annotated[
        int | None,
        typer.Option("--tail", "-n", min=0, max=MOST_LINES, metavar="N", help="The last N lines of each service."),
    ] = None,
    grep: Annotated[
        str | None, typer.Option("--grep", metavar="REGEX", help="Only lines in which this is found.")
    ] = None,
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="Show when each line was written.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show services' logs, sorted by time, each service in its own colour."""
    choice = Choice(None if since is None else _moment(since), tail, None if grep is None else _pattern(grep))
    there = handle.of(environment)
    sources = [one.source for one in there.chosen(services)]
    entries: Iterable[Entry | None]
    if follow:
        from cli.operations.logs.following import Follower, followed  # noqa: PLC0415 - not needed to look back

        names = followed(services, sources)
        entries = Follower(there.view, environment, there.clone.id, names, choice).entries(sources)
    else:
        entries = history(there.view, sources, choice)
    labels = [*(services or SERVICES), *(one.replica for one in sources)]
    show = rendering.as_json if as_json else rendering.lines(out, labels, timestamps=timestamps)
    try:
        _write(entries, show)
    except KeyboardInterrupt:
        if not follow or signals.status() != signals.INTERRUPTED:
            raise


def _write(entries: Iterable[Entry | None], show: rendering.Show) -> None:
    # Written line by line only where somebody waits for each of them.
    for entry in entries:
        if entry is None:
            sys.stdout.flush()
        else:
            sys.stdout.write(f"{show(entry)}\n")
    sys.stdout.flush()


def _moment(text: str) -> float:
    try:
        return durations.moment(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is not a time.",
            cause="--since takes how long ago, such as 90s, 10m or 1h30m, or a time such as 2026-11-02T08:30:00Z.",
            remedy="./dashtam logs dev --since 10m",
        ) from None


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(
            f"{text!r} is not a valid regular expression.",
            cause=f"{error}.",
            remedy=r"Write a \ in front of a character that is meant as itself.",
        ) from None
