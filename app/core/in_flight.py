"""Work that runs to its end even if its caller is cancelled, and that all concurrent callers share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class InFlight:
    """The work in flight in this process, by name."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[Any]] = {}

    async def join(self, name: Hashable, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Wait for the work of this name, or begin it; each caller gets its result or its exception."""
        task: asyncio.Task[T] | None = self._tasks.get(name)
        if task is None:
            task = self._tasks[name] = asyncio.create_task(begin())
            task.add_done_callback(lambda ended: self._end(name, ended))
        return await asyncio.shield(task)

    async def settle(self) -> None:
        """Wait until nothing is in flight."""
        while self._tasks:
            await asyncio.wait(self._tasks.values())

    def _end(self, name: Hashable, task: asyncio.Task[Any]) -> None:
        del self._tasks[name]
        if not task.cancelled():
            task.exception()  # no caller may be left to take it
