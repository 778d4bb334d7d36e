"""What an update is doing, service by service: a live table on a terminal, a line a change elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from cli.update import Event
from infra.naming import SERVICES

ROWS = ("images", "network", *SERVICES)
_CONTAINER = "docker:index/container:Container"
_IMAGE = "docker:index/remoteImage:RemoteImage"
_NETWORK = "docker:index/network:Network"
_STYLES = {"healthy": "green", "ready": "green", "unchanged": "dim", "removed": "dim", "failed": "bold red"}


class UpdateProgress:
    """Follows one update of one environment. Use it as a context manager.

    Args:
        stack: The environment.
        console: Where to show it.

    Attributes:
        errors: What went wrong, in Pulumi's words.
    """

    def __init__(self, stack: str, console: Console) -> None:
        self.errors: list[str] = []
        self._stack = stack
        self._console = console
        self._started = time.monotonic()
        self._states: dict[str, str] = {}
        self._open: dict[str, set[str]] = {}
        self._live = Live(get_renderable=self._table, console=console, refresh_per_second=8, transient=False)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def on_event(self, event: Event) -> None:
        """Take notice of an engine event.

        Args:
            event: As Pulumi prints it.
        """
        if step := event.get("resourcePreEvent"):
            self._begin(step["metadata"])
        elif step := event.get("resOutputsEvent"):
            self._end(step["metadata"], failed=False)
        elif step := event.get("resOpFailedEvent"):
            self._end(step["metadata"], failed=True)
        elif (said := event.get("diagnosticEvent")) and said["severity"] == "error":
            self._note(said["message"])

    def _note(self, message: str) -> None:
        text = message.strip()
        if text and text not in self.errors:
            self.errors.append(text)

    def _begin(self, step: Event) -> None:
        row = row_of(step["type"], step["urn"])
        if row is None or _is_bookkeeping(step) or step["op"] == "same" or _is_put_away(step):
            return
        self._open.setdefault(row, set()).add(step["urn"])
        self.show(row, _beginning(step["type"], step["urn"], step["op"]))

    def _end(self, step: Event, *, failed: bool) -> None:
        row = row_of(step["type"], step["urn"])
        if row is None or _is_bookkeeping(step):
            return
        unfinished = self._open.get(row, set())
        unfinished.discard(step["urn"])
        if failed:
            self.show(row, "failed")
        elif not unfinished and not step["urn"].endswith("-files"):
            self.show(row, _ending(row, step["op"]))

    def show(self, row: str, state: str) -> None:
        """Show what has become of a row; what has failed stays so.

        Args:
            row: One of `ROWS`.
            state: Its new state.
        """
        if self._states.get(row) in {state, "failed"}:
            return
        self._states[row] = state
        if not self._console.is_terminal and state != "unchanged":
            self._console.print(f"{self._stack} {row}: {state} ({self._elapsed:.1f} s)", highlight=False)

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for row in ROWS:
            state = self._states.get(row)
            if state is None:
                continue
            busy = state not in _STYLES
            table.add_row(Spinner("dots") if busy else "", f"{self._stack} {row}", Text(state, _STYLES.get(state, "")))
        table.add_row("", f"[dim]{self._elapsed:.0f} s")
        return table


def row_of(kind: str, urn: str) -> str | None:
    """Return the row that a resource belongs to.

    Args:
        kind: The resource's type.
        urn: Its URN, which ends with its name.

    Returns:
        One of `ROWS`, or None where people don't wait for it.
    """
    if kind == _IMAGE:
        return "images"
    if kind == _NETWORK:
        return "network"
    if kind != _CONTAINER:
        return None
    name = urn.rsplit("::", 1)[-1].removesuffix("-files")
    return next((service for service in SERVICES if name.endswith(f"-{service}")), None)


def _is_bookkeeping(step: Event) -> bool:
    # A replacement is told by its deletion and its creation. Images stay on the engine: they only leave the state.
    return step["op"] in {"replace", "refresh"} or (step["type"] == _IMAGE and "delete" in step["op"])


def _is_put_away(step: Event) -> bool:
    # What installed a service's files has ended long ago.
    return "delete" in step["op"] and bool(step["urn"].endswith("-files"))


def _beginning(kind: str, urn: str, op: str) -> str:
    if "delete" in op:
        return "stopping" if kind == _CONTAINER else "removing"
    if kind == _IMAGE:
        return "getting ready"
    if kind == _NETWORK:
        return "creating"
    return "installing certificates and secrets" if urn.endswith("-files") else "starting, waiting for health"


def _ending(row: str, op: str) -> str:
    if "delete" in op:
        return "removed"
    if op == "same":
        return "unchanged"
    return "healthy" if row in SERVICES else "ready"
