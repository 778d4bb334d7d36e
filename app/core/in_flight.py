"""Work that goes on to its end though whoever asked for it goes away, and that all who ask for it meanwhile share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Flights:
    """Work under way in this process, by name."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[Any]] = {}

    async def join(self, name: Hashable, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Wait for work that is under way, or begin it."""
        task: asyncio.Task[T] | None = self._under_way.get(name)
        if task is None:
            task = self._under_way[name] = asyncio.create_task(begin())
            task.add_done_callback(lambda _: self._under_way.pop(name))
        return await asyncio.shield(task)

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way.values())
