"""A log as the engine hands it out: entries with the time at which it took them."""

from __future__ import annotations

import heapq
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cli.engine.container import Source
from cli.engine.inventory import EngineView


@dataclass(frozen=True)
class Entry:
    """A line of a log; `time` is of RFC 3339, in UTC with nanoseconds, so that texts compare as times do."""

    time: str
    source: Source
    text: str

    @property
    def seconds(self) -> float:
        """When the engine took it, in seconds since 1970."""
        return datetime.fromisoformat(self.time).timestamp()


@dataclass(frozen=True)
class Choice:
    """Which entries are wanted: since a time in seconds since 1970, and the last so many of each service."""

    since: float | None = None
    tail: int | None = None
    pattern: re.Pattern[str] | None = None

    def wants(self, entry: Entry) -> bool:
        """Return whether an entry's text is wanted."""
        return self.pattern is None or bool(self.pattern.search(entry.text))


def parse(frames: Iterable[bytes], source: Source) -> Iterator[Entry]:
    """Make entries of what the engine sends, where each frame begins with its time."""
    time, text = "", b""
    for frame in frames:
        stamp, _, content = frame.partition(b" ")
        time, text = time or stamp.decode(), text + content
        if text.endswith(b"\n"):
            yield Entry(time, source, text.rstrip(b"\r\n").decode(errors="replace"))
            time, text = "", b""
    if text:
        yield Entry(time, source, text.decode(errors="replace"))


def history(
    view: EngineView, sources: Sequence[Source], choice: Choice, note: Callable[[Entry], object] = lambda _: None
) -> Iterator[Entry]:
    """Read what was written until now."""
    return heapq.merge(*(_wanted(view, source, choice, note) for source in sources), key=lambda entry: entry.time)


def _wanted(view: EngineView, source: Source, choice: Choice, note: Callable[[Entry], object]) -> Iterator[Entry]:
    # The last line is read though none is wanted: following begins there.
    tail = None if choice.pattern or choice.tail is None else max(choice.tail, 1)
    read = _noted(parse(view.log(source.id, since=choice.since, tail=tail), source), note)
    found = (entry for entry in read if choice.wants(entry))
    return found if choice.tail is None else iter(deque(found, maxlen=choice.tail))


def _noted(entries: Iterable[Entry], note: Callable[[Entry], object]) -> Iterator[Entry]:
    for entry in entries:
        note(entry)
        yield entry
