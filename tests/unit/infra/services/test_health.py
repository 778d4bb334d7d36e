from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from cli.core.wait import until
from infra.config.sections import HealthSettings
from infra.services import health
from infra.services.health import timing

PAUSE = 0.4


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(health, "MARK", str(tmp_path / "healthy"))
    monkeypatch.setattr(health, "UNFINISHED", str(tmp_path / "checking"))
    return tmp_path / "healthy"


def _run(command: str, rounds: int = 1) -> tuple[int, float]:
    started = time.monotonic()
    done = subprocess.run(["sh", "-c", health.paced(command, PAUSE, rounds, 5)], check=False)
    return done.returncode, time.monotonic() - started


def test_what_becomes_healthy_is_marked_at_once(mark: Path) -> None:
    status, _ = _run("true")
    assert status == 0
    assert mark.exists()


def test_what_is_healthy_is_asked_after_a_pause(mark: Path) -> None:
    mark.touch()
    status, took = _run(health.repeated("true"), rounds=3)
    assert (status, mark.exists()) == (0, True)
    assert took >= 3 * PAUSE


def test_what_failed_is_healthy_at_its_first_success(mark: Path, tmp_path: Path) -> None:
    mark.touch()
    tries = tmp_path / "tries"
    fails_first = health.repeated(f"echo >> {tries}; [ $(wc -l < {tries}) -ge 2 ]")
    assert [_run(fails_first, rounds=3)[0] for _ in range(2)] == [1, 0]
    assert len(tries.read_text()) == 2
    assert _run(fails_first, rounds=3)[0] == 0
    assert len(tries.read_text()) == 5


def test_what_was_asked_when_its_check_was_ended_is_healthy_at_its_first_success(mark: Path, tmp_path: Path) -> None:
    mark.touch()
    tries = tmp_path / "tries"
    command = health.repeated(f"echo >> {tries}")
    with subprocess.Popen(["sh", "-c", health.paced(command, PAUSE, 100, 5)], start_new_session=True) as ended:
        assert until(tries.exists, 20)
        os.killpg(ended.pid, signal.SIGKILL)
    asked = len(tries.read_text())
    assert _run(command, rounds=100)[0] == 0
    assert len(tries.read_text()) == asked + 1


@pytest.mark.parametrize("was_healthy", [True, False])
def test_what_fails_is_asked_again_as_soon_as_before(mark: Path, was_healthy: bool) -> None:
    if was_healthy:
        mark.touch()
    status, took = _run(health.repeated("exit_with() { return 7; }; exit_with"), rounds=3)
    assert (status, mark.exists()) == (1, was_healthy)
    assert (took >= PAUSE) == was_healthy


def test_what_starts_is_asked_until_it_is_healthy(mark: Path, tmp_path: Path) -> None:
    tries = tmp_path / "tries"
    command = health.paced(health.repeated(f"echo >> {tries}; [ $(wc -l < {tries}) -ge 3 ]"), 30, 1, 5)
    assert subprocess.run(["sh", "-c", command], check=False, timeout=25).returncode == 0
    assert (len(tries.read_text()), mark.exists()) == (3, True)


def test_what_was_healthy_is_asked_once_where_it_fails(mark: Path, tmp_path: Path) -> None:
    mark.touch()
    tries = tmp_path / "tries"
    assert _run(health.repeated(f"echo >> {tries}; false"), rounds=3)[0] == 1
    assert len(tries.read_text()) == 1


@pytest.mark.parametrize(("was_ready", "status"), [(False, 1), (True, 0)])
def test_what_was_ready_once_must_only_be_alive(mark: Path, was_ready: bool, status: int) -> None:
    if was_ready:
        mark.touch()
    assert _run(health.once_ready("false", "true"))[0] == status
    assert _run(health.once_ready("true", "false"))[0] == 1 - status


def test_a_check_ends_though_its_service_never_is_healthy(mark: Path) -> None:
    command = health.paced(health.repeated("echo refused; false"), 1, 1, 5)
    done = subprocess.run(["sh", "-c", command], check=False, timeout=20, capture_output=True, text=True)
    assert (done.returncode, done.stdout, mark.exists()) == (1, "refused\n", False)


@pytest.mark.parametrize(
    ("given", "timeout"),
    [
        ({"timeout": "30s"}, "1h10m0s"),
        ({"interval": "1s"}, "1h0m0s"),
        ({"start_interval": "100ms", "interval": "100ms", "timeout": "10m"}, "1000h10m0s"),
    ],
)
def test_a_check_may_take_hours(given: dict[str, str], timeout: str) -> None:
    assert timing("true", HealthSettings.model_validate(given))["timeout"] == timeout


def test_a_check_may_take_the_pauses_and_the_time_of_its_rounds() -> None:
    settings = HealthSettings(start_interval="250ms", interval="10s", timeout="3s", retries=4, wait="2m")
    check = timing("true", settings)
    assert check == {
        "tests": ["CMD-SHELL", health.paced("true", 10, 60, 3)],
        "interval": "250ms",
        "timeout": "13m0s",
        "retries": 4,
        "start_period": "2m0s",
    }
