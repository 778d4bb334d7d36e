from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from unittest.mock import Mock

import pytest
from docker.errors import DockerException

from cli.engine import health
from cli.engine.container import ContainerView
from cli.engine.health import Watch, Watched
from cli.engine.inventory import EngineView
from tests.unit.cli.conftest import MakeContainer

WAIT = 90.0


def _view(*looks: list[ContainerView]) -> Mock:
    view = Mock()
    view.containers.side_effect = [*looks, *[looks[-1]] * 100]
    return view


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.core.wait.POLL_SECONDS", 0)


def test_what_starts_is_waited_for(container: MakeContainer) -> None:
    view = _view([container(health="starting")], [container(health="starting")], [container()])
    assert health.settled(view, "test", "me") == []
    assert view.containers.call_count == 3


@pytest.mark.parametrize("changes", [{"health": "unhealthy"}, {"state": "exited"}, {"state": "restarting"}])
def test_what_can_not_become_healthy_is_not_waited_for(
    container: Callable[..., ContainerView], changes: dict[str, str]
) -> None:
    view = _view([container(**changes)])
    assert [one.name for one in health.settled(view, "test", "me")] == ["dashtam-test-app"]
    assert view.containers.call_count == 1


def test_it_ends(container: MakeContainer) -> None:
    starting = container(health="starting")
    assert health.settled(_view([starting]), "test", "me", seconds=0.0) == [starting]


def test_what_is_no_service_is_passed_over(container: MakeContainer) -> None:
    assert health.settled(_view([container(component="app-files", state="exited", health="")]), "test", "me") == []


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


class Clock:
    """The time that passes for what is watched."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(health, "time", made)
    return made


def _watch(view: FakeView, *old: str, told: list[str] | None = None) -> Watch:
    return Watch(Watched(view, "test", "me", old, WAIT, show=(told if told is not None else []).append))


def test_a_container_that_was_there_before_is_not_looked_at(container: MakeContainer) -> None:
    watch = _watch(FakeView(container(health="unhealthy")), "id-app")
    assert not watch.sees_failure()
    assert watch.reports() == []


def test_what_a_failed_container_said_is_kept_when_it_is_gone(container: MakeContainer) -> None:
    view = FakeView(container(health="unhealthy"))
    watch = _watch(view)
    assert watch.sees_failure()
    view.found.clear()
    [report] = watch.reports()
    assert "last of id-app" in report


def test_an_engine_that_went_away_is_no_failure_of_a_container(container: MakeContainer) -> None:
    view = FakeView(container(health="unhealthy"))
    view.broken = True
    watch = _watch(view)
    assert not watch.sees_failure()
    assert watch.reports() == []


def test_one_that_was_started_again_has_failed(container: MakeContainer) -> None:
    starting, other = container(health="starting"), container(id="id-other", name="other", health="starting")
    view = FakeView(starting, other)
    watch = _watch(view)
    assert not watch.sees_failure()
    view.found[:] = [replace(starting, started="2026-01-01T00:00:09Z"), other]
    for _ in range(2):
        assert watch.sees_failure()
        assert watch.reasons == ["dashtam-test-app ended and was started again."]
    assert [report.partition(":")[0] for report in watch.reports()] == ["dashtam-test-app"]


def test_one_that_takes_long_is_told_once_and_then_given_up(container: MakeContainer, clock: Clock) -> None:
    told: list[str] = []
    watch = _watch(FakeView(container(health="starting", checks=((1, "no route"),))), told=told)
    seen = []
    for moment in (0.0, health.QUIET, health.QUIET + 1, WAIT, WAIT + 1):
        clock.now = 1000.0 + moment
        seen.append((watch.sees_failure(), len(told)))
    assert seen == [(False, 0), (False, 0), (False, 1), (False, 1), (True, 1)]
    assert "no route" in told[0]
    assert "last of id-app" in told[0]
    assert watch.reasons == ["dashtam-test-app was not healthy within 90 s (dashtam:health.wait)."]


@pytest.mark.parametrize(
    "changes", [{}, {"state": "created", "health": ""}, {"component": "app-files", "health": "", "checks": ()}]
)
def test_what_needs_no_more_time_gets_all_there_is(
    container: MakeContainer, clock: Clock, changes: dict[str, object]
) -> None:
    told: list[str] = []
    watch = _watch(FakeView(container(**changes)), told=told)
    for moment in (0.0, WAIT + 1):
        clock.now = 1000.0 + moment
        assert not watch.sees_failure()
    assert told == []


def test_one_that_says_something_else_is_told_again(container: MakeContainer, clock: Clock) -> None:
    told: list[str] = []
    view = FakeView(container(health="starting"))
    watch = _watch(view, told=told)
    seen = []
    for turn, check in enumerate(("first", "first", "first", "second", "second"), start=0):
        clock.now = 1000.0 + turn * (health.QUIET + 1)
        view.found[:] = [container(health="starting", checks=((1, check),))]
        assert not watch.sees_failure()
        seen.append(len(told))
    assert seen == [0, 1, 1, 2, 2]
