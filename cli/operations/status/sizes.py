"""How much data volumes hold: measured inside the services that write it while these run, else by the engine."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from docker.errors import APIError

from cli.core.errors import UserError
from cli.core.parallel import each
from cli.engine.inventory import EngineView

FRESH_SECONDS = 10.0
"""For so long a measurement holds, while somebody watches."""

_KILOBYTES = re.compile(r"^(\d+)\s", re.MULTILINE)


@dataclass(frozen=True)
class Writer:
    """A service that writes to a volume."""

    volume: str
    container: str
    folder: str


class Sizes:
    """The bytes in volumes, measured again once they are no longer fresh."""

    def __init__(self, view: EngineView) -> None:
        self._view = view
        self._known: dict[str, int] = {}
        self._until = 0.0

    def of(self, containers: Sequence[Mapping[str, Any]]) -> Mapping[str, int]:
        """Return what volumes hold."""
        if time.monotonic() >= self._until:
            found = each(self._measure, list(writers(containers)))
            self._known = self._view.volume_sizes() | {name: size for name, size in found if size is not None}
            self._until = time.monotonic() + FRESH_SECONDS
        return self._known

    def _measure(self, one: Writer) -> tuple[str, int | None]:
        try:
            _, said = self._view.execute(one.container, ["du", "-s", "-k", one.folder])
        except (APIError, UserError):
            return one.volume, None  # it has stopped meanwhile, or its node is down
        # A file that vanishes while it is counted changes the exit status, and the sum is still printed.
        total = _KILOBYTES.search(said)
        return one.volume, int(total[1]) * 1024 if total else None


def writers(containers: Sequence[Mapping[str, Any]]) -> Iterator[Writer]:
    """Yield what writes to volumes."""
    for one in containers:
        for mount in one["Mounts"] if one["State"]["Status"] == "running" else ():
            if mount["Type"] == "volume" and mount["RW"]:
                yield Writer(mount["Name"], one["Id"], mount["Destination"])
