"""What an update is doing, service by service: a live table on a terminal, a line a change elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from cli.engine.container import ContainerView
from cli.engine.tasks import ServiceView
from cli.pulumi.stack_state import CONTAINER, IMAGE, NETWORK, SECRET, SERVICE
from cli.pulumi.update import Event
from infra.naming import EDGE, FILES, SERVICES

STARTING = "starting"
WAITING = "waiting for health"
UPDATING = "updating"
CHECKS_AFTER = 5.0
"""Seconds of waiting after which lines show the output of health checks; a table shows it at once."""
ROWS = ("images", "network", FILES, *SERVICES, EDGE)
_COLUMNS = 5
_STYLES = {
    "healthy": "green",
    "ready": "green",
    "unchanged": "dim",
    "updated": "green",
    "removed": "dim",
    "failed": "bold red",
    "rolled back": "bold red",
}


@contextmanager
def display(stacks: Sequence[str], console: Console) -> Iterator[list[UpdateProgress]]:
    """Show what the updates of some environments are doing, all at once."""
    followed = [UpdateProgress(stack, console) for stack in stacks]
    if not console.is_terminal:
        yield followed
        return
    with Live(get_renderable=lambda: Group(*(one.table() for one in followed)), console=console, refresh_per_second=8):
        yield followed


class UpdateProgress:
    """Follows one update of one environment."""

    def __init__(self, stack: str, console: Console) -> None:
        self.errors: list[str] = []
        self.reported: set[str] = set()
        self._stack = stack
        self._console = console
        self._started = time.monotonic()
        self._states: dict[str, tuple[str, float]] = {}
        self._checks: dict[str, str] = {}
        self._said: dict[str, str] = {}
        self._open: dict[str, set[str]] = {}
        # One for all rows, and kept: a new one would stand still.
        self._spinner = Spinner("dots")

    def on_event(self, event: Event) -> None:
        """Take notice of an engine event."""
        if step := event.get("resourcePreEvent"):
            self._begin(step["metadata"])
        elif step := event.get("resOutputsEvent"):
            self._end(step["metadata"], failed=False)
        elif step := event.get("resOpFailedEvent"):
            self._end(step["metadata"], failed=True)
        elif (said := event.get("diagnosticEvent")) and said["severity"] == "error":
            self._note(said["message"])

    def on_containers(self, containers: Iterable[ContainerView]) -> None:
        """Take notice of what the engine has: Pulumi reports a service only when it is healthy."""
        for one in containers:
            if one.component in self._states and one.state == "running":
                if self._states[one.component][0] == STARTING:
                    self.show(one.component, WAITING)
                if self._states[one.component][0] == WAITING:
                    self._on_check(one.component, last_check(one))

    def on_started(self, containers: Sequence[ContainerView]) -> None:
        """Take notice of services that were started by other means than an update, until they are healthy."""
        for one in containers:
            if not one.is_fine or one.component in self._states:
                self.show(one.component, "healthy" if one.is_fine else WAITING)
        self.on_containers(containers)

    def on_services(self, services: Iterable[ServiceView]) -> None:
        """Take notice of what a Swarm does: it replaces a service's containers one after the other."""
        for one in services:
            state = self._states.get(one.component, ("", 0.0))[0]
            if state and state != "failed" and (doing := _doing(one, state)):
                self.show(one.component, doing)

    def show_report(self, report: str) -> None:
        """Show the state and last lines of a service that takes long."""
        self.reported.add(report)
        self._console.print(report)

    def _on_check(self, row: str, said: str) -> None:
        self._checks[row] = said
        waited = time.monotonic() - self._states[row][1]
        if said and said != self._said.get(row) and waited > CHECKS_AFTER and not self._console.is_terminal:
            self._said[row] = said
            self._print(row, WAITING, f": {said}")

    def _note(self, message: str) -> None:
        text = message.strip()
        if text and text not in self.errors:
            self.errors.append(text)

    def _begin(self, step: Event) -> None:
        row = row_of(step["type"], step["urn"])
        if row is None or _shows_nothing(step) or step["op"] == "same" or _is_installer_deletion(step):
            return
        self._open.setdefault(row, set()).add(step["urn"])
        if step["type"] == SECRET and row in self._states:
            return  # there are many, made one after the other
        self.show(row, _beginning(step["type"], step["urn"], step["op"]))

    def _end(self, step: Event, *, failed: bool) -> None:
        row = row_of(step["type"], step["urn"])
        if row is None or _shows_nothing(step):
            return
        unfinished = self._open.get(row, set())
        unfinished.discard(step["urn"])
        if failed:
            self.show(row, "failed")
        elif not unfinished and not _is_installer_deletion(step):
            self.show(row, _ending(row, step["type"], step["op"]))

    def show(self, row: str, state: str) -> None:
        """Show what has become of a row; what has failed stays so."""
        if self._states.get(row, ("", 0))[0] in {state, "failed", "rolled back"}:
            return
        self._states[row] = (state, time.monotonic())
        if not self._console.is_terminal and state != "unchanged":
            self._print(row, state)

    def _print(self, row: str, state: str, detail: str = "") -> None:
        line = f"{self._stack} {row}: {state} ({self._elapsed:.1f} s){detail}"
        self._console.print(line, soft_wrap=True)

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def table(self) -> Table:
        """Return each service's state, and for how long it has been in an unfinished one."""
        table = Table.grid(padding=(0, 2))
        for _ in range(_COLUMNS):
            table.add_column(no_wrap=True)
        for row in ROWS:
            if row not in self._states:
                continue
            state, since = self._states[row]
            busy = state not in _STYLES
            table.add_row(
                self._spinner if busy else "",
                f"{self._stack} {row}",
                Text(state, _STYLES.get(state, "")),
                Text(f"{time.monotonic() - since:.0f} s" if busy else "", "dim"),
                Text(self._checks.get(row, "") if state == WAITING else "", "dim"),
            )
        table.add_row("", Text(f"{self._elapsed:.0f} s", "dim"))
        return table


def _doing(service: ServiceView, state: str) -> str:
    """Return what a service does, as long as it isn't as it is to be."""
    if service.update.startswith("rollback"):
        return "rolling back" if service.update == "rollback_started" else "rolled back"
    if service.update == "updating":
        return f"{min(service.updated, service.wanted)} of {service.wanted} updated"
    if state in _STYLES:  # done, as far as it goes
        return ""
    return "" if service.is_fine else f"{service.running} of {service.wanted} running"


def last_check(container: ContainerView) -> str:
    """Return the output of a service's last health check on one line."""
    return " ".join(container.checks[-1][1].split()) if container.checks else ""


def row_of(kind: str, urn: str) -> str | None:
    """Return which of `ROWS` a resource belongs to, by its URN's end; None where people don't wait for it."""
    if kind not in {CONTAINER, SERVICE}:
        return {IMAGE: "images", NETWORK: "network", SECRET: FILES}.get(kind)
    name = urn.rsplit("::", 1)[-1]
    return next((row for row in (FILES, *SERVICES, EDGE) if name.endswith(f"-{row}")), None)


def _shows_nothing(step: Event) -> bool:
    # A replacement is reported as a deletion and a creation. Images stay on the engine: they only leave the state.
    return step["op"] in {"replace", "refresh"} or (step["type"] == IMAGE and "delete" in step["op"])


def _is_installer_deletion(step: Event) -> bool:
    # What installed the files has ended long ago.
    return "delete" in step["op"] and bool(step["urn"].endswith(f"-{FILES}"))


def _beginning(kind: str, urn: str, op: str) -> str:
    if "delete" in op:
        return "stopping" if kind in {CONTAINER, SERVICE} else "removing"
    if kind == IMAGE:
        return "getting ready"
    if kind == NETWORK:
        return "creating"
    if kind == SECRET or urn.endswith(f"-{FILES}"):
        return "installing certificates and secrets"
    return UPDATING if op == "update" else STARTING


def _ending(row: str, kind: str, op: str) -> str:
    if "delete" in op:
        return "removed"
    if op == "same":
        return "unchanged"
    if op == "update" and kind == CONTAINER:  # the plugin waits for the health of a new one only
        return "updated"
    return "healthy" if row in {*SERVICES, EDGE} else "ready"
