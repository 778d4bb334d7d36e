from __future__ import annotations

from unittest.mock import Mock

import pytest

from app.core import migrate
from cli.core.remedies import REMEDIES, known
from cli.engine import failure_report
from tests.unit.cli.conftest import MakeContainer


@pytest.mark.parametrize(
    ("changes", "first", "second"),
    [
        ({"health": "unhealthy", "checks": ((0, ""), (1, "no route"))}, "unhealthy", "exit status 1: no route"),
        (
            {"state": "exited", "health": "unhealthy", "exit_code": 137},
            "exited with status 137",
            "exit status 0: ready",
        ),
        ({"state": "created", "health": "", "checks": ()}, "created", "| line"),
        ({"health": "unhealthy", "checks": ((2, ""),)}, "unhealthy", "exit status 2"),
    ],
)
def test_a_report_says_state_check_and_lines(
    container: MakeContainer, changes: dict[str, object], first: str, second: str
) -> None:
    view = Mock(last_lines=lambda _container, _count: ["line"])
    lines = failure_report.report(view, container(**changes)).splitlines()
    assert lines[0] == f"dashtam-test-app: {first}"
    assert lines[1].endswith(second)
    assert lines[-1] == "  | line"


BEGUN = (
    "2026-01-02T03:04:05.678901Z [info     ] Migrating the database         [app.core.migrate] after=0005a1b2c3"
    " before=0004"
)
WAITING = (
    "2026-01-02T03:04:06.678901Z [info     ] Waiting for Redis at redis:6379 [app.run.prepare] reason='it refuses'"
)
ENDED = "2026-01-02T03:04:07.678901Z [info     ] Migrations completed successfully [app.core.migrate] after=0005a1b2c3"
FAILED = (
    "2026-01-02T03:04:07.678901Z [critical ] Migration 0005a1b2c3 (0005a1b2c3_x.py, line 9) failed: boom."
    " [app.run.server]"
)
AS_JSON = '{"before": "0004", "after": "0005a1b2c3", "event": "Migrating the database", "level": "info"}'


@pytest.mark.parametrize("lines", [[BEGUN], [FAILED, BEGUN], [AS_JSON], ["x", BEGUN, WAITING, WAITING]])
def test_a_migration_that_has_not_ended_is_left_to_end(container: MakeContainer, lines: list[str]) -> None:
    report = failure_report.report(Mock(last_lines=Mock(return_value=lines)), container(health="unhealthy"))
    assert report.startswith("dashtam-test-app: unhealthy, still migrating the database\n")
    error = failure_report.update_failed("up", "test", ["late"], [report], {report})
    assert error.remedy.startswith("Wait until `./dashtam logs test app --follow` shows that the migration has ended")
    assert "Pulumi.test.yaml" in error.remedy


@pytest.mark.parametrize(
    ("state", "lines"),
    [
        ("running", []),
        ("running", [WAITING]),
        ("running", [BEGUN, ENDED]),
        ("running", [BEGUN, WAITING, FAILED]),
        ("exited", [BEGUN]),
    ],
)
def test_a_migration_that_has_ended_needs_no_time(container: MakeContainer, state: str, lines: list[str]) -> None:
    view = Mock(last_lines=Mock(return_value=lines))
    report = failure_report.report(view, container(state=state, health="unhealthy"))
    assert "still migrating" not in report
    assert "--follow" not in failure_report.update_failed("up", "test", ["late"], [report]).remedy


def test_the_begin_of_a_migration_is_the_apps_own_line() -> None:
    assert failure_report.MIGRATION_BEGIN == migrate.BEGIN


def test_reasons_are_said_once_and_without_wrapping() -> None:
    said = [
        "1 error occurred:\n\t* creating urn:pulumi:test::x: port is already allocated: provider=docker@5\n",
        "  * port is already allocated",
        "update failed",
    ]
    assert failure_report.reasons(said) == ["port is already allocated"]


@pytest.mark.parametrize(
    ("errors", "reports", "mark"),
    [
        *[([f"x {one.marks[0]}x: boom"], [], one.marks[0]) for one in REMEDIES if not one.only_images],
        (
            ["dashtam-test-app ended."],
            ["app: unhealthy\n  | [Errno 98] Address already in use"],
            "address already in use",
        ),
        (["Port is already allocated"], ["postgres: exited\n  | No space left on device"], "port is already allocated"),
    ],
)
def test_a_known_cause_has_its_remedy(errors: list[str], reports: list[str], mark: str) -> None:
    assert failure_report.update_failed("up", "test", errors, reports).remedy == known(mark).replace(
        "ENVIRONMENT", "test"
    )


def test_what_was_reported_before_is_not_repeated() -> None:
    report = "app: starting\n  last health check: exit status 1\n  | [Errno 98] Address already in use"
    other = "redis: starting\n  | loading"
    error = failure_report.update_failed("up", "test", ["late"], [report, other], {report})
    assert error.cause.split("\n\n") == [
        "late",
        "app: starting\n  last health check: exit status 1\n  its last lines are above",
        other,
    ]
    assert error.remedy == failure_report.update_failed("up", "test", ["late"], [report, other]).remedy


@pytest.mark.parametrize(
    ("command", "message"),
    [("up", "test did not become healthy."), ("down", "test is not down."), ("destroy", "test is not removed.")],
)
def test_an_unknown_cause_says_what_goes_on(command: str, message: str) -> None:
    error = failure_report.update_failed(command, "test", ["boom"], ["app: unhealthy"])
    assert error.message == message
    assert error.cause == "boom\n\napp: unhealthy"
    assert f"`./dashtam {command} test`" in error.remedy
