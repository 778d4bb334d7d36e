"""`dashtam status`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli import clone, overview
from cli.commands.arguments import AnyEnvironment
from cli.commands.options import AsJson
from cli.console import err, out
from cli.engine_view import ContainerView, EngineView
from cli.images import source
from cli.images.engine import connect
from cli.overview import Overview
from cli.pulumi import configured_stacks, require_configured

SOON_DAYS = 7
WATCH_SECONDS = 1.0
_STYLES = {
    "healthy": "green",
    "unhealthy": "bold red",
    "starting": "yellow",
    "up": "green",
    "partly up": "bold red",
    "down": "dim",
}
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
IMAGE_DIGITS = len("sha256:") + 12

app = typer.Typer(add_completion=False)


@app.command("status", epilog="Examples: ./dashtam status; ./dashtam status dev --watch; ./dashtam status --all --size")
def status(
    environment: AnyEnvironment = None,
    *,
    everyone: Annotated[bool, typer.Option("--all", help="Also those of other clones on this engine.")] = False,
    sizes: Annotated[bool, typer.Option("--size", help="Measure the data, too: slow on a full engine.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Refresh until Ctrl-C; without a terminal, a line a change.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what runs where, how well, until when certificates are valid, and what drifted. Changes nothing."""
    if (environment and everyone) or (watch and as_json):
        raise typer.BadParameter("ENVIRONMENT and --all exclude each other, and so do --watch and --json.")
    if environment:
        require_configured(environment)
    client = connect()
    view, here = EngineView(client), clone.find()

    def look() -> list[Overview]:
        return overview.gather(view, here, environment, everyone=everyone, sizes=sizes)

    if watch:
        _watch(look, everyone=everyone)
        return
    decision = source.explain(client)
    found = look()
    if as_json:
        known = {"clone": here.id if here else None, "image_source": decision.source.value}
        typer.echo(json.dumps({**known, "environments": configured_stacks(), **document(found)}, indent=2))
        return
    out.print(shown(found, owners=everyone))
    err.print(f"Images come from: {decision.source.value} ({decision.reason}).", highlight=False)


def _watch(look: Callable[[], list[Overview]], *, everyone: bool) -> None:
    with suppress(KeyboardInterrupt):
        if out.is_terminal:
            _refresh(look, everyone=everyone)
        else:
            _follow(look)


def _refresh(look: Callable[[], list[Overview]], *, everyone: bool) -> None:
    with Live(shown(look(), owners=everyone), console=out, auto_refresh=False, vertical_overflow="visible") as live:
        while True:
            time.sleep(WATCH_SECONDS)
            live.update(shown(look(), owners=everyone), refresh=True)


def _follow(look: Callable[[], list[Overview]]) -> None:
    before: dict[str, str] = {}
    while True:
        now = {one.name: _health(one) for found in look() for one in found.services}
        for name in sorted(now.keys() | before.keys()):
            if (state := now.get(name, "gone")) != before.get(name):
                typer.echo(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {name} {state}")
        before = now
        time.sleep(WATCH_SECONDS)


def describe(container: ContainerView) -> dict[str, Any]:
    """Return a service's state for scripts."""
    return {
        "environment": container.stack,
        "owner": container.owner,
        "service": container.component,
        "container": container.name,
        "state": container.state,
        "health": container.health,
        "started": container.started,
        "uptime_seconds": _uptime(container),
        "ports": {inner: outer for inner, outer in container.ports.items() if outer},
        "image": container.image,
    }


def document(found: Sequence[Overview]) -> dict[str, Any]:
    """Return environments for scripts.

    Args:
        found: The environments.

    Returns:
        `services` with a record each, and `overview` with one for each environment.
    """
    return {
        "services": [
            {**describe(one), "image_reference": each.images.get(one.component)}
            for each in found
            for one in each.services
        ],
        "overview": [
            {
                "environment": one.environment,
                "owner": one.owner,
                "folder": one.folder,
                "state": one.state,
                "certificates_expire": one.expiry.isoformat() if one.expiry else None,
                "drift": None if one.drift is None else one.drift > 0,
                "differences": one.drift,
                "data_bytes": one.data,
            }
            for one in found
        ],
    }


def shown(found: Sequence[Overview], *, owners: bool) -> RenderableType:
    """Return environments for people.

    Args:
        found: The environments.
        owners: Whether to tell whose each is.

    Returns:
        A row a service, and below them a row an environment.
    """
    services = [one for each in found for one in each.services]
    if not services and not owners and not any(one.drift for one in found):
        return Group("Nothing is up. Start with ./dashtam up dev.", "", environments(found, owners=owners))
    return Group(table(found), "", environments(found, owners=owners))


def table(found: Sequence[Overview]) -> Table:
    """Return services as a table.

    Args:
        found: The environments.

    Returns:
        A row a service.
    """
    rows = _table("environment", "service", "state", "health", "uptime", "ports", "image")
    for each in found:
        for one in each.services:
            ports = ", ".join(f"{outer} -> {inner}" for inner, bound in one.ports.items() for outer in bound)
            rows.add_row(
                one.stack,
                one.component,
                one.state,
                _styled(one.health or "-"),
                duration(_uptime(one)),
                ports.replace("/tcp", "") or "-",
                each.images.get(one.component) or one.image[:IMAGE_DIGITS],
            )
    return rows


def environments(found: Sequence[Overview], *, owners: bool) -> Table:
    """Return environments as a table.

    Args:
        found: The environments.
        owners: Whether to tell whose each is.

    Returns:
        A row an environment.
    """
    rows = _table("environment", "is", "certificates", "data", "drift", *(["clone"] if owners else []))
    for one in found:
        whose = [one.folder or one.owner] if owners else []
        rows.add_row(one.environment, _styled(one.state), _expiry(one.expiry), _data(one.data), _drift(one), *whose)
    return rows


def _table(*headings: str) -> Table:
    rows = Table(box=None, pad_edge=False)
    for heading in headings:
        rows.add_column(heading, overflow="fold")
    return rows


def _styled(state: str) -> Text:
    return Text(state, _STYLES.get(state, ""))


def _health(container: ContainerView) -> str:
    return f"{container.state} {container.health}".strip()


def _uptime(container: ContainerView) -> int | None:
    if container.state != "running":
        return None
    return max(0, round((datetime.now(UTC) - datetime.fromisoformat(container.started)).total_seconds()))


def duration(seconds: int | None) -> str:
    """Return a length of time in its two greatest units, such as `3 h 5 min`; `-` for None.

    Args:
        seconds: The length.
    """
    if seconds is None:
        return "-"
    parts = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        parts += [f"{count} {unit}"] if count else []
    return " ".join(parts[:2]) or "0 s"


def _expiry(end: datetime | None) -> Text:
    if end is None:
        return Text("-")
    left = (end - datetime.now(UTC)).days
    text = f"until {end:%Y-%m-%d}" if left >= 0 else f"expired {end:%Y-%m-%d}"
    return Text(text, "" if left > SOON_DAYS else "bold red")


def _data(volumes: Mapping[str, int] | None) -> str:
    return "-" if not volumes else ", ".join(f"{name} {decimal(size)}" for name, size in volumes.items())


def _drift(one: Overview) -> Text:
    if one.drift is None:
        return Text("unknown", "dim")
    return Text(f"yes: ./dashtam drift {one.environment}", "bold red") if one.drift else Text("no")
