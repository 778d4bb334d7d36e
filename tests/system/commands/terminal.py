"""A terminal in which a command runs, as a person has one."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.system import damage, running
from tests.system.checkout import Checkout

TIMEOUT = 30.0
"""Seconds."""

CONTROL = re.compile(r"\x1b(\[[0-9;?]*[a-zA-Z]|[=>])|\r")

CURSOR_POSITION_ASKED, CURSOR_POSITION = b"\x1b[6n", "\x1b[1;80R"
"""Device Status Report and its answer (ECMA-48, 8.3.35 and 8.3.14)."""


class Terminal:
    """A command in a terminal.

    Args:
        process: The command.
        end: The terminal's other end.
    """

    def __init__(self, process: subprocess.Popen[bytes], end: int) -> None:
        self.process = process
        self._end = end
        self._said = b""

    def type(self, text: str) -> None:
        """Type keys."""
        os.write(self._end, text.encode())

    def resize(self, rows: int, columns: int) -> None:
        """Give the terminal another size; the kernel tells the command."""
        _resize(self._end, rows, columns)

    def echoes(self) -> bool:
        """Return whether the terminal shows what is typed, as it does unless a program has changed that."""
        flags: int = termios.tcgetattr(self._end)[3]
        return bool(flags & termios.ECHO and flags & termios.ICANON)

    def expect(self, text: str) -> str:
        """Wait until something is shown; return what was shown up to it since the last, without control sequences."""
        deadline = time.monotonic() + TIMEOUT
        while text not in self._shown():
            left = deadline - time.monotonic()
            readable, _, _ = select.select([self._end], [], [], max(left, 0))
            assert readable, f"{text!r} is not shown within {TIMEOUT:.0f} s: {self._shown()!r}"
            self._read()
        before, found, after = self._shown().partition(text)
        self._said = after.encode()
        return before + found

    def rest(self) -> str:
        """Wait until the command ends; return all that was shown, with control sequences."""
        deadline = time.monotonic() + running.TIMEOUT
        ended = False
        while True:
            assert time.monotonic() < deadline, f"it doesn't end: {self._shown()[-3000:]!r}"
            if select.select([self._end], [], [], 0.05)[0]:
                self._read()
            elif ended:
                return self._said.decode(errors="replace")
            else:
                ended = self.process.poll() is not None

    def _read(self) -> None:
        said = os.read(self._end, 65536)
        self._said += said
        # Programs ask this where the terminal's size is not known yet, and every terminal answers.
        if CURSOR_POSITION_ASKED in said:
            self.type(CURSOR_POSITION)

    def _shown(self) -> str:
        return CONTROL.sub("", self._said.decode(errors="replace"))


def _resize(end: int, rows: int, columns: int) -> None:
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


@contextmanager
def opened(checkout: Checkout, *command: str, **env: str) -> Iterator[Terminal]:
    """Run a command in a checkout, in a terminal of its own."""
    ours, theirs = pty.openpty()
    _resize(ours, 24, 80)
    try:
        process = subprocess.Popen(
            # Only a session that has the terminal as its own is told of a new size.
            ["setsid", "--ctty", *command],
            cwd=checkout.root,
            env={**checkout.environ, "TERM": "xterm", **env},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        with damage.at_latest_killed(process):
            yield Terminal(process, ours)
    finally:
        os.close(theirs)
        os.close(ours)
