"""Follows services across restarts and replacements of their containers.

The engine ends a container's log when the container stops, and reports when one starts. Then its log is read again
from a moment before where it ended, and what was read already is passed over.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from queue import SimpleQueue

from docker.errors import DockerException, StreamParseError
from requests import RequestException
from urllib3.exceptions import HTTPError

from cli.core.errors import UserError
from cli.engine.container import Source
from cli.engine.inventory import EngineView
from cli.operations.logs.entries import Choice, Entry, history, parse
from infra.naming import EDGE, SERVICES

OVERLAP = 1.0
"""Seconds that are read again: what comes on two streams at one moment the engine may write in either order."""

BEFORE = 5.0
"""Seconds by which the engine's clock may be behind. A start that is reported twice does no harm."""

LOST = (DockerException, StreamParseError, RequestException, HTTPError, OSError)
"""How reading fails where a container is removed or the engine stops."""

Arrived = SimpleQueue[Entry | BaseException | None]
"""Entries as they arrive; at the end of a thread that reads its error, or None."""


class Seen:
    """What was read of a container's log since a time in seconds since 1970: all from its first entry on."""

    def __init__(self, since: float | None = None) -> None:
        self._wanted_since = since
        self._first = ""
        self._recent: deque[tuple[float, tuple[str, str]]] = deque()
        self._keys: set[tuple[str, str]] = set()

    @property
    def since(self) -> float | None:
        """From when on there may be something new, in seconds since 1970; None for the beginning."""
        return self._recent[-1][0] - OVERLAP if self._recent else self._wanted_since

    def is_new(self, entry: Entry) -> bool:
        """Take note of an entry, and return whether it comes after the first that was read and wasn't read itself."""
        key = entry.time, entry.text
        if key in self._keys or entry.time < self._first:
            return False
        self._first = self._first or entry.time
        latest = max(entry.seconds, self._recent[-1][0] if self._recent else 0.0)
        self._recent.append((latest, key))
        self._keys.add(key)
        while self._recent[0][0] < latest - 2 * OVERLAP:
            self._keys.discard(self._recent.popleft()[1])
        return True


def followed(names: Sequence[str] | None, sources: Iterable[Source]) -> Collection[str]:
    """Return the services to follow, all if none is named; a replica stands for its service, for it is replaced."""
    return {one.service for one in sources} if names else (*SERVICES, EDGE)


class Follower:
    """Follows some services of one environment."""

    def __init__(self, view: EngineView, stack: str, owner: str, services: Collection[str], choice: Choice) -> None:
        """Follow services from a moment before now on."""
        self._view, self._choice = view, choice
        self._seen: defaultdict[str, Seen] = defaultdict(partial(Seen, choice.since))
        self._services = services
        self._started: dict[str, SimpleQueue[Source]] = {}
        self._arrived: Arrived = SimpleQueue()
        # From before the first look on, so that no start goes unseen.
        self._starts = view.starts(stack, owner, time.time() - BEFORE)

    def entries(self, sources: Sequence[Source]) -> Iterator[Entry | None]:
        """Read what was written until now, then what is being written.

        Yields:
            Entries; None each time there is nothing more for the moment.
        """
        yield from history(self._view, sources, self._choice, lambda entry: self._seen[entry.source.id].is_new(entry))
        for source in sources:
            self._begin(source)
        self._read_in_thread(self._watch)
        while True:
            if self._arrived.empty():
                yield None
            entry = self._arrived.get()
            if entry is None or isinstance(entry, LOST):
                raise UserError("The Docker engine stopped answering.", remedy="`./dashtam doctor` says what is wrong.")
            if isinstance(entry, BaseException):
                raise entry
            yield entry

    def _read_in_thread(self, read: Callable[[], None]) -> None:
        """Run a function in a thread; its end is never missed, whatever the reason."""

        def run() -> None:
            end = None
            try:
                read()
            except BaseException as error:  # raised where entries are read
                end = error
            self._arrived.put(end)

        threading.Thread(target=run, daemon=True).start()

    def _watch(self) -> None:
        for source in self._starts:
            if source.service in self._services:
                self._begin(source)

    def _begin(self, source: Source) -> None:
        """Follow a container: beside the others, and after the one that it comes in place of."""
        if source.label not in self._started:
            self._started[source.label] = SimpleQueue()
            self._read_in_thread(partial(self._follow, self._started[source.label]))
        self._started[source.label].put(source)

    def _follow(self, inbox: SimpleQueue[Source]) -> None:
        # One container of a service after the other: the next starts when the one before has ended.
        while True:
            source = inbox.get()
            try:
                self._read(source)
            except LOST:
                continue  # it was removed meanwhile, or the engine stopped, which the watch reports

    def _read(self, source: Source) -> None:
        seen = self._seen[source.id]
        for entry in parse(self._view.log(source.id, since=seen.since, follow=True), source):
            if seen.is_new(entry) and self._choice.wants(entry):
                self._arrived.put(entry)
