"""How Ctrl-C, SIGTERM and SIGHUP (a closed terminal) end a command: each in the same way, with a status of its own.

The first one raises KeyboardInterrupt, so that `finally` blocks start again what the command stopped; those that come
while they do are noted only. One that was ignored when the command was started, as under nohup, stays ignored.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

INTERRUPTED = 128 + signal.SIGINT
"""The exit status after a Ctrl-C, as in a shell."""

INTERVAL = 0.2
"""Seconds that the main thread may wait at once: Python calls a handler between two of its instructions only, so a
signal that comes just before a wait without a limit, or to another thread, is handled when that wait is over."""

Handler = Callable[[int, FrameType | None], None]

_received: list[int] = []


def status() -> int:
    """Return the exit status that names the first signal that has come, as in a shell; 0 if none has."""
    return 128 + _received[0] if _received else 0


@contextmanager
def raised() -> Iterator[None]:
    """Let the first signal raise KeyboardInterrupt. For the main thread, which signals come to."""

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
    """Let signals be a wish to end in good order, rather than raise. For the main thread."""
    came = threading.Event()

    def note(number: int, _: FrameType | None) -> None:
        _note(number)
        came.set()
        pass_on(number)

    with _handled(note):
        yield came


@contextmanager
def postponed() -> Iterator[None]:
    """Let a signal raise KeyboardInterrupt only once this is done: for what must not be left half done."""
    with noted() as came:
        yield
    if came.is_set():
        raise KeyboardInterrupt


def _note(number: int) -> None:
    _received.append(number)
    if number == signal.SIGHUP:
        _write_to_no_closed_terminal()


def _write_to_no_closed_terminal() -> None:
    """Let what is written from now on fail nothing, though the terminal is gone."""
    for stream in (1, 2):
        try:
            os.write(stream, b"")
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream)
            os.close(nowhere)


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
