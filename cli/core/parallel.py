"""The same for several items at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(do: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Call a function for each item at the same time; the first error is raised once all calls have ended."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(do, items))
