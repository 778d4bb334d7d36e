"""The same for several items at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from cli.core import signals

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(do: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Call a function for each item at the same time; the first error is raised once all calls have ended."""
    with ThreadPoolExecutor() as pool:
        calls = [pool.submit(do, item) for item in items]
        while wait(calls, signals.INTERVAL).not_done:
            pass
        return [call.result() for call in calls]
