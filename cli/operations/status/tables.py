"""Environments for people."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.filesize import decimal
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from cli.engine.container import ContainerView
from cli.engine.tasks import ServiceView
from cli.operations.status.collect import Overview
from cli.operations.status.document import uptime
from cli.pulumi.stack_state import SOON_DAYS
from infra.endpoints import HTTPS_PORT, address

_STYLES = {
    "healthy": "green",
    "unhealthy": "bold red",
    "starting": "yellow",
    "up": "green",
    "partly up": "bold red",
    "down": "dim",
}
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
ADDRESS = "URL or ports"
_DISPENSABLE = ("image", "uptime", ADDRESS)
"""Columns that are left out where there is no room, the first one first; `--json` has them all."""
_UNLIMITED = 10_000
IMAGE_DIGITS = len("sha256:") + 12


def shown(found: Sequence[Overview], *, owners: bool, named: bool = False) -> RenderableType:
    """Return environments for people; `named` ones are those that the command line asks for."""
    services = [one for each in found for one in each.services]
    if not services and not owners and not any(one.drift for one in found):
        return Group(_nothing_up(found, named=named), "", environments(found, owners=owners))
    on_swarms = [one for one in found if one.swarm]
    more = (replicas(on_swarms), "") if on_swarms else ()
    return Group(_Services(found), "", *more, environments(found, owners=owners))


def _nothing_up(found: Sequence[Overview], *, named: bool) -> str:
    if not named:
        return "Nothing is up. Start with ./dashtam up dev."
    names = [one.environment for one in found]
    return f"Not running: {', '.join(names)}. Start with ./dashtam up {' '.join(names)}."


@dataclass(frozen=True)
class _Services:
    """Services as a table without the columns for which the terminal is too narrow."""

    found: Sequence[Overview]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        unlimited = options.update(max_width=_UNLIMITED)
        for count in range(len(_DISPENSABLE) + 1):
            rows = table(self.found, _DISPENSABLE[:count])
            if Measurement.get(console, unlimited, rows).maximum <= options.max_width:
                break
        yield rows


def table(found: Sequence[Overview], without: Collection[str] = ()) -> Table:
    """Return services as a table, without some of its columns."""
    headings = ("environment", "service", "node", "state", "health", "uptime", ADDRESS, "image")
    nodes = any(one.replica for each in found for one in each.services)
    chosen = [one for one in headings if one not in without and (nodes or one != "node")]
    rows = _table(*chosen, whole=("service", "state", "health"))
    for each in found:
        for one in each.services:
            cells: dict[str, str | Text] = {
                "environment": one.stack,
                "service": one.replica or one.component,
                "node": one.node or "-",
                "state": one.state,
                "health": _styled((one.state == "running" and one.health) or "-"),
                "uptime": duration(uptime(one)),
                ADDRESS: _addresses(one, each.urls.get(one.component) or ""),
                "image": _image(one, each),
            }
            rows.add_row(*(cells[heading] for heading in chosen))
    return rows


def _addresses(container: ContainerView, url: str) -> str:
    """Return the service's URL, and its ports that are not in the URL."""
    shown = (
        url if url and (urlsplit(url).port or HTTPS_PORT) == outer else f"{_outer(container, outer)} -> {inner}"
        for inner, bound in container.ports.items()
        for outer in bound
    )
    return ", ".join(shown).replace("/tcp", "") or "-"


def _image(container: ContainerView, overview: Overview) -> str:
    recorded = overview.images.get(container.component)
    # During an update, replicas run different ones.
    return short(container.image) if container.replica or not recorded else recorded


def short(image: str) -> str:
    """Return an image with the first digits of its digest."""
    name, at, digest = image.rpartition("@")
    return f"{name}{at}{digest[:IMAGE_DIGITS]}" if digest.startswith("sha256:") else image


def replicas(found: Sequence[Overview]) -> Table:
    """Return the services of environments on Swarms as a table."""
    rows = _table("environment", "service", "running", "last update", "image")
    for each in found:
        for one in each.swarm:
            running = Text(f"{one.running} of {one.wanted}", "green" if one.is_fine else "bold red")
            rows.add_row(each.environment, one.component, running, _update(one), short(one.image))
    return rows


def _update(service: ServiceView) -> Text:
    if not service.update:
        return Text("-")
    busy = f", {service.updated} of {service.wanted}" if service.update == "updating" else ""
    text = service.update.replace("_", " ") + busy
    return Text(f"{text}{service.reason}", "bold red") if service.is_rolled_back else Text(text)


def _outer(container: ContainerView, port: int) -> str:
    return address(container.exposed[port], port) if port in container.exposed else str(port)


def environments(found: Sequence[Overview], *, owners: bool) -> Table:
    """Return environments as a table."""
    rows = _table("environment", "state", "certificates", "data", "drift", *(["clone"] if owners else []))
    for one in found:
        whose = [one.folder or one.owner] if owners else []
        rows.add_row(one.environment, _state(one), _expiry(one.expiry), _data(one.data), _drift(one), *whose)
    return rows


def _table(*headings: str, whole: Collection[str] = ()) -> Table:
    """Return a table whose cells are folded where they don't fit, except those of some columns."""
    rows = Table(box=None, pad_edge=False)
    for heading in headings:
        rows.add_column(heading, overflow="fold", no_wrap=heading in whole)
    return rows


def _state(one: Overview) -> Text:
    only = f" (only {', '.join(one.only)})" if one.only and one.state != "down" else ""
    return Text(one.state + only, _STYLES.get(one.state, ""))


def _styled(state: str) -> Text:
    return Text(state, _STYLES.get(state, ""))


def duration(seconds: int | None) -> str:
    """Return a length of time in its two greatest units, such as `3 h 5 min`; `-` for None."""
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
    return Text(text, "bold red" if left <= SOON_DAYS else "")


def _data(volumes: Mapping[str, int | None] | None) -> str:
    known = (volumes or {}).items()
    return ", ".join(name if size is None else f"{name} {decimal(size)}" for name, size in known) or "-"


def _drift(one: Overview) -> Text:
    if one.drift is None:
        return Text("unknown", "dim")
    return Text(f"yes: ./dashtam drift {one.environment}", "bold red") if one.drift else Text("no")
