"""Progress of long work: what, how far, how long."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Announce = Callable[[str], None]
"""Takes one line for the user."""

Tick = Callable[[str], None]
"""Takes what the work is at; called as often as there is something new."""

TICK_INTERVAL = 5.0
"""Seconds between two lines about the same step."""

_WIDTH = 100


@dataclass
class Steps:
    """Counts steps and tells about each: its start, a sign of life while it lasts, and its end."""

    total: int
    announce: Announce
    clock: Callable[[], float] = time.monotonic
    _started: int = field(default=0, init=False)

    @contextmanager
    def step(self, what: str) -> Iterator[Tick]:
        """Tell about one step."""
        self._started += 1
        title = f"Images {self._started}/{self.total}: {what}"
        begin = last = self.clock()

        def tick(news: str) -> None:
            nonlocal last
            now = self.clock()
            if now - last >= TICK_INTERVAL:
                last = now
                self.announce(f"{title}: {now - begin:.0f} s: {_last_line(news)}")

        self.announce(title)
        yield tick
        self.announce(f"{title}: done in {self.clock() - begin:.0f} s")


def _last_line(news: str) -> str:
    lines = [line for line in news.splitlines() if line.strip()]
    return lines[-1].strip()[:_WIDTH] if lines else "working"
