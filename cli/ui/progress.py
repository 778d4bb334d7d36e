"""Progress of long work on standard error: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.core import signals
from cli.core.redaction import without_credentials

if TYPE_CHECKING:
    from rich.progress import Progress

PLAIN_INTERVAL_SECONDS = 15.0
"""How often a line is printed where there is no terminal."""

Count = Callable[[int], object]
"""Takes how many more bytes are done."""

_MEGABYTE = 1e6
_DETAIL_WIDTH = 100


@contextmanager
def meter(title: str, *, unit: str = "") -> Iterator[Meter]:
    """Show the progress of one piece of work; it ends with a line unless it fails."""
    from cli.ui.console import err  # noqa: PLC0415 - rich is slow to import

    if err.is_terminal:
        with _bar() as shown:
            yield BarMeter(title, unit, shown)
        return
    plain = Meter(title, unit)
    plain.print("started")
    yield plain
    plain.print(f"done in {plain.seconds:.0f} s")


@contextmanager
def transfer(title: str, total: int = 0) -> Iterator[Count]:
    """Show how many bytes are transferred, of a total where that is known; a signal ends it in each thread."""
    done = 0
    with meter(title, unit="MB") as shown:

        def count(size: int) -> None:
            nonlocal done
            if signals.status():
                raise KeyboardInterrupt
            done += size
            shown.update(done / _MEGABYTE, total / _MEGABYTE)

        yield count


class Meter:
    """Prints a line at the start, every so often, and at the end."""

    def __init__(self, title: str, unit: str) -> None:
        self._title = title
        self._unit = unit
        self._started = time.monotonic()
        self._printed = self._started
        self._state = ""

    @property
    def seconds(self) -> float:
        """How long the work has taken so far."""
        return time.monotonic() - self._started

    def update(self, done: float, total: float, detail: str = "") -> None:
        """Report how much is done, of a total where that isn't 0."""
        self._state = ", ".join(part for part in (self._share(done, total), detail) if part)
        self.tick()

    def tick(self, output: str = "") -> None:
        """Report that the work continues, with the last line of a program's output where there is one."""
        self._state = _last_line(output) or self._state
        if time.monotonic() - self._printed >= PLAIN_INTERVAL_SECONDS:
            self.print(f"{self._state or 'working'}, {self.seconds:.0f} s so far")

    def print(self, text: str) -> None:
        """Print a line about the work."""
        from cli.ui.console import announce  # noqa: PLC0415

        self._printed = time.monotonic()
        announce(f"{self._title}: {text}")

    def _share(self, done: float, total: float) -> str:
        return f"{done:.0f} of {total:.0f} {self._unit} ({done / total:.0%})" if total else f"{done:.0f} {self._unit}"


class BarMeter(Meter):
    """Moves a bar of Rich's."""

    def __init__(self, title: str, unit: str, shown: Progress) -> None:
        super().__init__(title, unit)
        self._shown = shown
        self._task = shown.add_task(title, total=None, share="", detail="")

    def update(self, done: float, total: float, detail: str = "") -> None:
        """Move the bar, to and fro where there is no total."""
        share = self._share(done, total)
        self._shown.update(self._task, completed=done, total=total or None, share=share, detail=detail)

    def tick(self, output: str = "") -> None:
        """Show the last line of a program's output; the bar moves by itself."""
        if line := _last_line(output):
            self._shown.update(self._task, detail=line)


def _bar() -> Progress:
    from rich import progress  # noqa: PLC0415

    from cli.ui.console import err  # noqa: PLC0415

    columns = (
        progress.SpinnerColumn(),
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.TextColumn("{task.fields[share]}", markup=False),
        progress.TimeElapsedColumn(),
        progress.TextColumn("{task.fields[detail]}", style="dim", markup=False),
    )
    return progress.Progress(*columns, console=err, transient=True)


def _last_line(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    return without_credentials(lines[-1].strip())[:_DETAIL_WIDTH] if lines else ""
