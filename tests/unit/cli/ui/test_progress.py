import pytest

from cli.ui import progress
from cli.ui.progress import PlainMeter, meter


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("cli.ui.progress.time.monotonic", lambda: now[0])
    return now


def test_a_line_only_now_and_then(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    plain = PlainMeter("Compiling", "packages")
    for second in range(31):
        clock[0] = 100.0 + second
        plain.update(second * 10, 1000, f"package-{second}")
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "Compiling: 150 of 1000 packages (15%), package-15, 15 s so far",
        "Compiling: 300 of 1000 packages (30%), package-30, 30 s so far",
    ]


def test_silent_work_is_still_alive(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    plain = PlainMeter("Linking", "steps")
    clock[0] += progress.PLAIN_INTERVAL_SECONDS
    plain.tick()
    assert capsys.readouterr().err == "Linking: working, 15 s so far\n"


def test_begin_and_end_are_told_on_standard_error_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with meter("Fetching", unit="MB") as shown:
        shown.update(1, 0)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == ["Fetching: started", "Fetching: done in 0 s"]
