from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from cli.core import signals
from cli.core.errors import UserError
from cli.operations import hooks
from cli.operations.session import Session
from cli.operations.test import pytest_runs, suites
from cli.operations.test.suites import Run
from tests.unit.cli.conftest import INTERRUPTED

DASHTAM = """#!/bin/sh
echo "$@" > up
echo "Port 8001 is in use."
exit {status}
"""


@pytest.fixture
def here(tmp_path: Path) -> Session:
    _dashtam(tmp_path, 0)
    return cast("Session", SimpleNamespace(clone=SimpleNamespace(root=tmp_path), environ=dict(os.environ)))


@pytest.fixture(autouse=True)
def brought_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was brought up in this process, with all of its services."""
    found: list[str] = []

    def up(_: object, *stacks: str, services: tuple[str, ...]) -> None:
        assert services == ()
        found.extend(stacks)

    monkeypatch.setattr(pytest_runs, "up", up)
    monkeypatch.setattr(hooks, "run_healthy", lambda _, stack: found.append(f"hook of {stack}"))
    return found


@pytest.fixture(autouse=True)
def statuses(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """What a run's pytest exits with, by the run's name; each notes its arguments."""
    found: dict[str, int] = {}

    def command(run: Run, *_: object) -> list[str]:
        script = (
            f"import sys; open('{run.name}', 'w').write(' '.join(sys.argv[1:])); sys.exit({found.get(run.name, 0)})"
        )
        return [sys.executable, "-c", script]

    monkeypatch.setattr(suites, "command", command)
    return found


def _dashtam(folder: Path, status: int) -> None:
    (folder / "dashtam").write_text(DASHTAM.format(status=status))
    (folder / "dashtam").chmod(0o755)


def _run(here: Session, *arguments: str, reports: Path | None = None) -> int:
    return pytest_runs.run(here, suites.choose(arguments), browser=True, reports=reports)


def _ran(here: Session) -> set[str]:
    return {one.name for one in here.clone.root.iterdir()} & {"unit", "service", "system"}


@pytest.mark.parametrize(
    ("by_run", "status"),
    [
        ({}, 0),
        ({"unit": 1}, 1),
        ({"service": 1}, 1),
        ({"unit": 5}, 0),
        ({"unit": 5, "service": 5}, 5),
        ({"unit": 4, "service": 1}, 4),
        ({"unit": 5, "service": 1}, 1),
    ],
)
def test_the_first_failure_is_the_status_and_no_test_is_none(
    here: Session, statuses: dict[str, int], by_run: dict[str, int], status: int
) -> None:
    statuses.update(by_run)
    assert _run(here) == status
    assert _ran(here) == {"unit", "service"}


def test_a_first_failure_ends_it_where_asked(here: Session, statuses: dict[str, int]) -> None:
    statuses["unit"] = 1
    assert _run(here, "-x") == 1
    assert _ran(here) == {"unit"}


def test_the_environment_comes_up_beside_what_does_not_use_it(here: Session, brought_up: list[str]) -> None:
    assert _run(here) == 0
    assert (here.clone.root / "up").read_text().split()[:2] == ["up", "test"]
    assert brought_up == []


def test_what_runs_alone_brings_it_up_before(here: Session, brought_up: list[str]) -> None:
    assert _run(here, "api") == 0
    assert brought_up == ["test", "hook of test"]


def test_what_does_not_use_it_brings_nothing_up(here: Session, brought_up: list[str]) -> None:
    assert _run(here, "unit") == 0
    assert brought_up == []
    assert not (here.clone.root / "up").exists()


def test_an_environment_that_does_not_come_up_ends_it_with_the_reason(here: Session) -> None:
    _dashtam(here.clone.root, 1)
    with pytest.raises(UserError, match="test can't be brought up") as caught:
        _run(here)
    assert caught.value.cause == "Port 8001 is in use."
    assert _ran(here) == {"unit"}


def test_coverage_adds_up_and_is_judged_once(here: Session, tmp_path: Path) -> None:
    assert _run(here, "all", reports=tmp_path) == 0
    said = {name: (here.clone.root / name).read_text().split() for name in ("unit", "service", "system")}
    assert said == {
        "unit": ["--cov", "--cov-report=", "--cov-fail-under=0"],
        "service": ["--cov", "--cov-append", "--cov-report=term", f"--cov-report=xml:{tmp_path}/coverage.xml"],
        "system": [],
    }


def test_a_signal_interrupts_pytest_and_waits_for_its_end(here: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "command", lambda *_: [sys.executable, "-c", INTERRUPTED.format(number=15)])
    with signals.raised(), pytest.raises(KeyboardInterrupt):
        _run(here, "unit")
    assert (here.clone.root / "ended").exists()


SLOW_TO_END = """#!/bin/sh
trap 'sleep 0.5; touch up-ended; exit' TERM
touch up-started
while :; do sleep 0.05; done
"""
ONCE_UP_HAS_STARTED = "import os, time\nwhile not os.path.exists('up-started'): time.sleep(0.01)\n"


def test_a_signal_ends_the_environment_s_start_too(here: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    (here.clone.root / "dashtam").write_text(SLOW_TO_END)
    program = ONCE_UP_HAS_STARTED + INTERRUPTED.format(number=15)
    monkeypatch.setattr(suites, "command", lambda *_: [sys.executable, "-c", program])
    with signals.raised(), pytest.raises(KeyboardInterrupt):
        _run(here)
    assert (here.clone.root / "up-ended").exists()
