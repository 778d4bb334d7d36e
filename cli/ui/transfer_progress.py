"""Progress of bytes on their way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cli.ui.progress import meter

MEGABYTE = 1e6

Count = Callable[[int], object]
"""Told how many bytes more are done."""


@contextmanager
def transfer(title: str, total: int = 0) -> Iterator[Count]:
    """Show how far bytes have come."""
    done = 0
    with meter(title, unit="MB") as shown:

        def count(size: int) -> None:
            nonlocal done
            done += size
            shown.update(done / MEGABYTE, total / MEGABYTE)

        yield count


def megabytes(size: int) -> str:
    """Return a size for people."""
    return f"{size / MEGABYTE:,.1f} MB"
