"""How Ctrl-C, SIGTERM and SIGHUP (a closed terminal) end a command: in the same way, each with its own exit status.

The first signal raises KeyboardInterrupt, so that `finally` blocks start again what the command stopped; later ones are
only noted. A signal that was ignored when the command started, as under nohup, stays ignored.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from cli.core.dev_null import discard

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

INTERRUPTED = 128 + signal.SIGINT
"""The exit status after a Ctrl-C, as in a shell."""

INTERVAL = 0.2
"""Seconds that the main thread may wait at once: Python calls a handler between two of its instructions only, so a
signal that comes just before a wait without a limit, or to another thread, is handled when that wait is over."""

Handler = Callable[[int, FrameType | None], None]

_received: list[int] = []


def status() -> int:
    """Return the exit status for the first signal received, as in a shell; 0 if there was none."""
    return 128 + _received[0] if _received else 0


@contextmanager
def raised() -> Iterator[None]:
    """Let the first signal raise KeyboardInterrupt; only for the main thread, which gets the signals."""

    def end(number: int, _: FrameType | None) -> None:
        is_first = not _received
        _note(number)
        if is_first:
            raise KeyboardInterrupt

    try:
        with _handled(end):
            yield
    finally:
        _received.clear()


@contextmanager
def noted(pass_on: Callable[[int], None] = lambda _: None) -> Iterator[threading.Event]:
    """Let signals set the event, and be passed on, instead of raising; only for the main thread."""
    received = threading.Event()

    def note(number: int, _: FrameType | None) -> None:
        _note(number)
        received.set()
        pass_on(number)

    with _handled(note):
        yield received


@contextmanager
def postponed(pass_on: Callable[[int], None] = lambda _: None) -> Iterator[None]:
    """Let a signal raise KeyboardInterrupt only when the block has ended, as it must not be left half done."""
    with noted(pass_on) as received:
        yield
    if received.is_set():
        raise KeyboardInterrupt


def _note(number: int) -> None:
    _received.append(number)
    if number == signal.SIGHUP:
        _leave_closed_terminal()


def _leave_closed_terminal() -> None:
    """Discard output where the terminal is closed."""
    for stream in (1, 2):
        try:
            os.write(stream, b"")
        except OSError:
            discard(stream)


@contextmanager
def _handled(handler: Handler) -> Iterator[None]:
    before = {
        number: signal.signal(number, handler) for number in NUMBERS if signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)
