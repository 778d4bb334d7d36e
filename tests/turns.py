"""Turns that tests take: those of one user stay out of each other's way, in whatever process or clone they run."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

MAKE_NETWORKS = ("tests/system/environment/", "tests/system/commands/")
"""What brings up environments of its own."""

DRIVE_A_BROWSER = "tests/e2e/"


@contextmanager
def use_of(environment: str, how: int) -> Iterator[None]:
    """Use an environment beside other tests, or alone.

    Args:
        environment: Its name.
        how: `fcntl.LOCK_SH` or `fcntl.LOCK_EX`.

    Yields:
        Once nobody uses it in a way that this use can't bear.
    """
    with _file(f"{environment}.use").open("w") as file:
        fcntl.flock(file, how)
        yield


def _file(name: str) -> Path:
    return Path(tempfile.gettempdir()) / f"dashtam-{os.getuid()}-{name}"


class Networks:
    """A plugin of pytest: many tests may make networks at once, but none while a browser is driven.

    Chromium gives up what it is just connecting to when a network comes or goes (net::ERR_NETWORK_CHANGED).

    Args:
        config: Of the process that runs tests.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._file, self._queue = _file("networks").open("w"), _file("networks.queue").open("w")
        config.add_cleanup(self._file.close)
        config.add_cleanup(self._queue.close)
        self._has_made = self._holds = False

    # First, so that waiting doesn't count towards the test's timeout.
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Wait until it is this test's turn."""
        makes = item.nodeid.startswith(MAKE_NETWORKS)
        self._has_made |= makes
        if _drives(item):
            self._lock(fcntl.LOCK_EX)
        # With the last test go the environments that were brought up for all of them.
        elif makes or (self._has_made and nextitem is None):
            self._lock(fcntl.LOCK_SH)
        try:
            return (yield)
        finally:
            # Kept from one test with the browser to the next, so that they wait for others once.
            if not (_drives(item) and _drives(nextitem)):
                fcntl.flock(self._file, fcntl.LOCK_UN)
                self._holds = False

    def _lock(self, how: int) -> None:
        if self._holds:
            return
        # Who waits for the whole lock holds the queue: others can't overtake it for ever.
        fcntl.flock(self._queue, fcntl.LOCK_EX)
        fcntl.flock(self._file, how)
        fcntl.flock(self._queue, fcntl.LOCK_UN)
        self._holds = True


def _drives(item: pytest.Item | None) -> bool:
    return item is not None and item.nodeid.startswith(DRIVE_A_BROWSER)
