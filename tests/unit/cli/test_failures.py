from __future__ import annotations

import pytest
from docker.errors import DockerException

from cli import failures
from cli.engine_view import ContainerView, EngineView
from tests.unit.cli.conftest import MakeContainer


class FakeView(EngineView):
    """An engine of a few containers."""

    def __init__(self, *found: ContainerView) -> None:
        self.found = list(found)
        self.broken = False

    def containers(self, stack: str | None = None, owner: str | None = None) -> list[ContainerView]:
        assert (stack, owner) == ("test", "me")
        if self.broken:
            raise DockerException("gone")
        return self.found

    def last_lines(self, container: str, count: int) -> list[str]:
        return [f"last of {container}"][:count]


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({}, False),
        ({"health": "starting"}, False),
        ({"state": "created", "health": ""}, False),
        ({"health": "unhealthy"}, True),
        ({"state": "exited", "health": ""}, True),
        ({"state": "restarting"}, True),
        ({"state": "dead"}, True),
        ({"component": "app-files", "state": "exited", "health": "", "exit_code": 0}, False),
        ({"component": "app-files", "state": "exited", "health": "", "exit_code": 1}, True),
        ({"component": "app-files", "state": "running", "health": ""}, False),
    ],
)
def test_what_counts_as_failed(container: MakeContainer, changes: dict[str, object], failed: bool) -> None:
    assert failures.has_failed(container(**changes)) is failed


def test_a_container_that_was_there_before_is_not_looked_at(container: MakeContainer) -> None:
    watch = failures.Watch(FakeView(container(health="unhealthy")), "test", "me", {"id-app"})
    assert not watch.sees_failure()
    assert watch.reports() == []


def test_what_a_failed_container_said_is_kept_when_it_is_gone(container: MakeContainer) -> None:
    view = FakeView(container(health="unhealthy"))
    watch = failures.Watch(view, "test", "me", set())
    assert watch.sees_failure()
    view.found.clear()
    [report] = watch.reports()
    assert "last of id-app" in report


def test_an_engine_that_went_away_is_no_failure_of_a_container(container: MakeContainer) -> None:
    view = FakeView(container(health="unhealthy"))
    view.broken = True
    assert not failures.Watch(view, "test", "me", set()).sees_failure()


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
    lines = failures.report(container(**changes), ["line"]).splitlines()
    assert lines[0] == f"dashtam-test-app: {first}"
    assert lines[1].endswith(second)
    assert lines[-1] == "  | line"


def test_reasons_are_said_once_and_without_wrapping() -> None:
    said = [
        "1 error occurred:\n\t* creating urn:pulumi:test::x: port is already allocated: provider=docker@5\n",
        "  * port is already allocated",
        "update failed",
    ]
    assert failures.reasons(said) == ["port is already allocated"]


@pytest.mark.parametrize("mark", failures.REMEDIES)
def test_a_known_cause_has_its_remedy(mark: str) -> None:
    error = failures.update_failed("up", "test", [f"x {mark}x: boom"], [])
    known = [mend for part, mend in failures.REMEDIES.items() if part in error.cause]
    assert error.remedy == known[0]


@pytest.mark.parametrize(("command", "message"), [("up", "test is not up."), ("destroy", "test is not removed.")])
def test_an_unknown_cause_says_what_goes_on(command: str, message: str) -> None:
    error = failures.update_failed(command, "test", ["boom"], ["app: unhealthy"])
    assert error.message == message
    assert error.cause == "boom\n\napp: unhealthy"
    assert f"./dashtam {command} test" in error.remedy
