import os
import queue
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from cli.core import process, signals
from cli.core.paths import ROOT
from cli.core.process import CommandError, output, piped, run_lines, run_to_end
from tests.unit.cli.conftest import INTERRUPTED

CHILD = "sleep 600 & echo $! > {pid}; echo started; wait"


def ends(pid: int) -> bool:
    """Tell whether a process ends within some seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or status.read_text().split()[2] == "Z":
            return True
        time.sleep(0.02)
    return False


def test_lines_of_both_streams_in_order() -> None:
    seen: list[str] = []
    lines = run_lines(["sh", "-c", "echo one; echo two >&2; echo three"], timeout=10, on_line=seen.append)
    assert lines == [line for line in seen if line] == ["one", "two", "three"]


def test_a_short_command_gets_its_input_or_none() -> None:
    assert output(["cat"], stdin="one") == "one"
    assert output(["cat"]) == ""


def test_the_end_of_output_is_noted_though_reading_fails() -> None:
    stream = MagicMock()
    stream.__iter__.side_effect = ConnectionError
    pending: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    with pytest.raises(ConnectionError):
        process._read(stream, pending)
    assert pending.get_nowait() is None


def test_a_failure_keeps_the_last_lines() -> None:
    with pytest.raises(CommandError, match="ended with status 7") as raised:
        run_lines(["sh", "-c", "seq 100; exit 7"], timeout=10)
    assert raised.value.tail.splitlines() == [str(number) for number in range(76, 101)]


def test_output_that_is_no_text_is_no_failure() -> None:
    assert run_lines(["sh", "-c", r"printf '\377\n'"], timeout=10) == ["�"]


@pytest.fixture
def short_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the command more often than once a second."""
    monkeypatch.setattr(process, "_TICK_SECONDS", 0.05)


@pytest.mark.usefixtures("short_ticks")
def test_a_service_that_keeps_the_output_open_is_not_waited_for(tmp_path: Path) -> None:
    # One that is waited for is ended at the timeout, which is an error.
    lines = run_lines(["sh", "-c", f"echo up; setsid sleep 60 & echo $! > {tmp_path}/pid"], timeout=20)
    assert lines == ["up"]
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)


@pytest.mark.usefixtures("short_ticks")
def test_a_timeout_ends_all_that_was_started(tmp_path: Path) -> None:
    command = CHILD.format(pid=tmp_path / "pid")
    with pytest.raises(CommandError, match="was ended after"):
        run_lines(["sh", "-c", command], timeout=0.5)
    assert ends(int((tmp_path / "pid").read_text()))


def test_an_exception_ends_all_that_was_started(tmp_path: Path) -> None:
    def interrupt(_line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_lines(["sh", "-c", CHILD.format(pid=tmp_path / "pid")], timeout=60, on_line=interrupt)
    assert ends(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_all_that_was_started(tmp_path: Path, number: signal.Signals) -> None:
    program = (
        "from cli.core import signals; from cli.core.process import run_lines; "
        "held = signals.raised(); held.__enter__(); "
        f"run_lines(['sh', '-c', {CHILD.format(pid=tmp_path / 'pid')!r}], timeout=60, "
        "on_line=lambda line: print(line, flush=True))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "started\n"
        run.send_signal(number)
        assert run.wait(20) != 0
    assert ends(int((tmp_path / "pid").read_text()))


def test_a_short_command_returns_its_standard_output() -> None:
    assert output(["sh", "-c", "echo one; echo two >&2"]) == "one\n"


@pytest.mark.parametrize(
    ("script", "timeout", "reason", "tail"),
    [("echo out; echo why >&2; exit 3", None, "ended with status 3", "why"), ("sleep 60", 0.1, "was ended after", "")],
)
def test_a_short_command_that_fails(script: str, timeout: float | None, reason: str, tail: str) -> None:
    with pytest.raises(CommandError, match=reason) as raised:
        output(["sh", "-c", script], timeout=timeout)
    assert raised.value.tail == tail


def test_a_command_that_is_not_installed() -> None:
    with pytest.raises(CommandError, match="can't be run: No such file or directory"):
        output(["no-such-program"])


def test_output_is_read_while_a_command_runs() -> None:
    with piped(["echo", "one"]) as stream:
        assert stream.read() == b"one\n"


def test_a_failure_shows_once_all_output_is_read() -> None:
    with pytest.raises(CommandError, match="ended with status 7"), piped(["sh", "-c", "echo one; exit 7"]) as stream:
        assert stream.read() == b"one\n"


def test_a_reader_that_fails_ends_the_command() -> None:
    with pytest.raises(KeyboardInterrupt), piped(["sleep", "600"]):
        raise KeyboardInterrupt


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_one_that_runs_to_its_end_is_only_interrupted_by_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", INTERRUPTED.format(number=int(number))]
    with signals.raised():
        with pytest.raises(KeyboardInterrupt):
            run_to_end(command, cwd=tmp_path, env=os.environ)
        assert signals.status() == 128 + number
    assert (tmp_path / "ended").exists()


def test_the_status_of_one_that_runs_to_its_end(tmp_path: Path) -> None:
    assert run_to_end(["sh", "-c", "exit 7"], cwd=tmp_path, env=os.environ) == 7
