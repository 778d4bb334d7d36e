from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.core import signals
from cli.core.paths import ROOT

ENDED = [(number, 128 + number) for number in signals.NUMBERS]


def _send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(("number", "status"), ENDED)
def test_each_raises_once_and_has_a_status(number: int, status: int) -> None:
    done: list[str] = []

    def work() -> None:
        try:
            _send(number)
        finally:
            for later in signals.NUMBERS:
                _send(later)
            done.append("cleaned up")

    with signals.raised():
        assert signals.status() == 0
        with pytest.raises(KeyboardInterrupt):
            work()
        assert signals.status() == status
    assert done == ["cleaned up"]
    assert signals.status() == 0


@pytest.mark.parametrize(("number", "status"), ENDED)
def test_one_that_is_noted_raises_nothing_and_is_passed_on(number: int, status: int) -> None:
    passed: list[int] = []
    with signals.raised():
        with signals.noted(passed.append) as came:
            assert not came.is_set()
            _send(number)
            assert came.is_set()
        assert signals.status() == status
    assert passed == [number]


@pytest.mark.parametrize(("number", "status"), ENDED)
def test_one_that_is_postponed_raises_afterwards(number: int, status: int) -> None:
    done: list[str] = []

    def work() -> None:
        with signals.postponed():
            _send(number)
            done.append("started again")

    with signals.raised():
        with pytest.raises(KeyboardInterrupt):
            work()
        assert signals.status() == status
    assert done == ["started again"]


def test_a_failure_meanwhile_is_what_is_raised() -> None:
    def work() -> None:
        with signals.postponed():
            _send(signal.SIGTERM)
            raise ValueError("boom")

    with signals.raised(), pytest.raises(ValueError, match="boom"):
        work()


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in signals.NUMBERS]
    with signals.raised(), signals.noted():
        assert [signal.getsignal(number) for number in signals.NUMBERS] != before
    assert [signal.getsignal(number) for number in signals.NUMBERS] == before


@pytest.mark.parametrize("number", signals.NUMBERS)
def test_one_that_was_ignored_stays_ignored(number: int) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with signals.raised():
            _send(number)
            with signals.noted() as came:
                _send(number)
            assert not came.is_set()
            assert signals.status() == 0
    finally:
        signal.signal(number, before)


ON_A_TERMINAL = """
import os, pathlib, sys, time
from cli.core import signals
os.close(os.open(os.ttyname(0), os.O_RDWR))  # makes it this session's own; see tty_ioctl(4)
with signals.raised():
    try:
        print("started", flush=True)
        while True:
            time.sleep(1)
    finally:
        print("to a terminal that is gone", flush=True)
        print("to it too", file=sys.stderr, flush=True)
        pathlib.Path(sys.argv[1]).touch()
"""


def test_a_closed_terminal_ends_the_command_and_does_not_hinder_its_end(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", ON_A_TERMINAL, str(tmp_path / "ended")]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        assert b"started" in os.read(ours, 100)
        os.close(ours)
        process.wait(20)
    assert (tmp_path / "ended").exists()
