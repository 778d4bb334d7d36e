import io
import signal

import pytest
from rich.console import Console

from cli.core import parallel, signals
from cli.ui import console, progress
from cli.ui.progress import Meter, meter, transfer


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("cli.ui.progress.time.monotonic", lambda: now[0])
    return now


def test_a_line_only_now_and_then(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    plain = Meter("Compiling", "packages")
    for second in range(31):
        clock[0] = 100.0 + second
        plain.update(second * 10, 1000, f"package-{second}")
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "Compiling: 150 of 1000 packages (15%), package-15, 15 s so far",
        "Compiling: 300 of 1000 packages (30%), package-30, 30 s so far",
    ]


def test_silent_work_is_still_alive(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    plain = Meter("Linking", "steps")
    clock[0] += progress.PLAIN_INTERVAL_SECONDS
    plain.tick()
    assert capsys.readouterr().err == "Linking: working, 15 s so far\n"


def test_begin_and_end_are_told_on_standard_error_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with meter("Fetching", unit="MB") as shown:
        shown.update(1, 0)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == ["Fetching: started", "Fetching: done in 0 s"]


@pytest.mark.parametrize(
    ("output", "shown"),
    [("Unpacking\n", "Unpacking"), ("a\r\nb\n\n", "b"), ("  \n", "working"), ("x" * 300, "x" * 100)],
)
def test_the_last_line_of_a_programs_output(
    clock: list[float], capsys: pytest.CaptureFixture[str], output: str, shown: str
) -> None:
    plain = Meter("Images 1/2: one", "")
    clock[0] += progress.PLAIN_INTERVAL_SECONDS
    plain.tick(output)
    assert capsys.readouterr().err == f"Images 1/2: one: {shown}, 15 s so far\n"


def test_work_that_fails_is_not_called_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), meter("Fetching"):
        raise RuntimeError
    assert capsys.readouterr().err.splitlines() == ["Fetching: started"]


def test_bytes_are_shown_in_megabytes(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with transfer("Copying", 4_000_000) as count:
        count(1_000_000)
        clock[0] += progress.PLAIN_INTERVAL_SECONDS
        count(1_000_000)
    assert "Copying: 2 of 4 MB (50%), 15 s so far" in capsys.readouterr().err


def test_a_signal_ends_transfers_that_run_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def copy(size: int) -> None:
        while True:
            count(size)

    monkeypatch.setattr(parallel, "wait", lambda *_: signal.raise_signal(signal.SIGTERM))
    with signals.raised(), transfer("Copying") as count, pytest.raises(KeyboardInterrupt):
        parallel.each(copy, [1, 2])


def test_a_bar_on_a_terminal_shows_how_far_and_what(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    terminal = Console(file=written, force_terminal=True, width=120, color_system=None)
    monkeypatch.setattr(console, "err", terminal)
    with meter("Downloading", unit="MB") as shown:
        shown.update(1, 4, "first")
        shown.tick("second")
    assert "Downloading" in written.getvalue()
    assert "1 of 4 MB (25%)" in written.getvalue()
    assert "second" in written.getvalue()
