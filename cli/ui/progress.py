"""Progress of long work: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN_INTERVAL_SECONDS = 15.0
"""How often a line is printed where there is no terminal."""


class Meter(Protocol):
    """What long work reports to."""

    def update(self, done: float, total: float, detail: str = "") -> None:
        """Say how far the work is."""

    def tick(self) -> None:
        """Say that the work goes on."""


@contextlib.contextmanager
def meter(title: str, *, unit: str) -> Iterator[Meter]:
    """Show the progress of one piece of work on standard error."""
    from cli.ui.console import err  # noqa: PLC0415 - rich is needed only where something is shown

    if err.is_terminal:
        with _bar(title, unit) as bar:
            yield bar
        return
    plain = PlainMeter(title, unit)
    plain.start()
    yield plain
    plain.end()


class PlainMeter:
    """Prints a line at the start, every so often, and at the end."""

    def __init__(self, title: str, unit: str) -> None:
        self._title = title
        self._unit = unit
        self._started = time.monotonic()
        self._printed = self._started
        self._state = ""

    def start(self) -> None:
        """Say what begins."""
        self._print("started")

    def end(self) -> None:
        """Say how long it took."""
        self._print(f"done in {time.monotonic() - self._started:.0f} s")

    def update(self, done: float, total: float, detail: str = "") -> None:
        """Remember how far the work is; see `Meter`."""
        share = f"{done:.0f} of {total:.0f} {self._unit} ({done / total:.0%})" if total else f"{done:.0f} {self._unit}"
        self._state = f"{share}{', ' if detail else ''}{detail}"
        self.tick()

    def tick(self) -> None:
        """Print a line if the last one is long enough ago."""
        now = time.monotonic()
        if now - self._printed >= PLAIN_INTERVAL_SECONDS:
            self._print(f"{self._state or 'working'}, {now - self._started:.0f} s so far")

    def _print(self, text: str) -> None:
        from cli.ui.console import err  # noqa: PLC0415

        self._printed = time.monotonic()
        err.print(f"{self._title}: {text}", highlight=False, markup=False)


@contextlib.contextmanager
def _bar(title: str, unit: str) -> Iterator[Meter]:
    from rich import progress  # noqa: PLC0415

    from cli.ui.console import err  # noqa: PLC0415

    columns = (
        progress.SpinnerColumn(),
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.TextColumn(f"{{task.completed:.0f}}/{{task.total:.0f}} {unit}"),
        progress.TimeElapsedColumn(),
        progress.TextColumn("{task.fields[detail]}", style="dim", markup=False),
    )
    with progress.Progress(*columns, console=err, transient=True) as shown:
        yield BarMeter(shown, shown.add_task(title, total=0, detail=""))


class BarMeter:
    """Moves a bar; see `Meter`."""

    def __init__(self, shown: _Progress, task: _TaskID) -> None:
        self._shown = shown
        self._task = task

    def update(self, done: float, total: float, detail: str = "") -> None:
        """Move the bar; see `Meter`."""
        self._shown.update(self._task, completed=done, total=total, detail=detail)

    def tick(self) -> None:
        """Do nothing: the display keeps itself moving."""


if TYPE_CHECKING:
    from rich.progress import Progress as _Progress
    from rich.progress import TaskID as _TaskID
