from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from docker.errors import DockerException, NotFound

from cli.engine.container import ContainerView
from cli.engine.inventory import EngineView
from cli.engine.tasks import Document
from cli.environments.clone import Clone
from cli.operations.update import watcher as watching
from cli.operations.update.watcher import Watcher
from tests.unit.cli.conftest import MakeContainer
from tests.unit.cli.world import CONFIG as VALID

if TYPE_CHECKING:
    from cli.operations.session import Session
    from cli.operations.update.progress import UpdateProgress

WAIT = 90.0
CONFIG = VALID + "  dashtam:health: {wait: 90s}\n"


class FakeView(EngineView):
    """An engine of a few containers."""

    def __init__(self, *found: ContainerView) -> None:
        self.found = list(found)
        self.broken = False
        self.removed: set[str] = set()
        self.inspected: list[str] = []

    def summaries(self, stack: str | None = None, owner: str | None = None) -> list[Document]:
        assert (stack, owner) == ("test", "me")
        if self.broken:
            raise DockerException("gone")
        return [{"Id": one.id, "State": one.state, "Status": repr(one)} for one in self.found]

    def container(self, container: str) -> ContainerView:
        if container in self.removed:
            raise NotFound("removed meanwhile")
        self.inspected.append(container)
        return next(one for one in self.found if one.id == container)

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
    monkeypatch.setattr(watching, "time", made)
    return made


class Progress:
    """Notes the reports that are shown."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.reports: list[str] = []

    def on_containers(self, containers: Iterable[ContainerView]) -> None:
        pass

    def show_report(self, report: str) -> None:
        self.reports.append(report)


@dataclass
class Watched:
    """A watcher of what comes to be in an engine, and what it shows."""

    watcher: Watcher
    progress: Progress


Watch = Callable[..., Watched]


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Watch an engine, which has some containers only from then on unless they are old."""
    (tmp_path / "Pulumi.test.yaml").write_text(CONFIG)

    def start(view: FakeView, *, old: bool = False, timeout: float | None = None) -> Watched:
        monkeypatch.setattr(watching, "EngineView", lambda _client: view)
        found, view.found = view.found, view.found if old else []
        session = SimpleNamespace(connect=lambda: None, clone=Clone("me", tmp_path, tmp_path))
        progress = Progress()
        watcher = Watcher(cast("Session", session), "test", cast("UpdateProgress", progress), timeout)
        view.found = found
        return Watched(watcher, progress)

    return start


def test_a_container_that_was_there_before_is_not_looked_at(container: MakeContainer, watch: Watch) -> None:
    watcher = watch(FakeView(container(health="unhealthy")), old=True).watcher
    assert not watcher.sees_failure()
    assert watcher.reports() == []


def test_a_container_is_inspected_when_its_status_changes(container: MakeContainer, watch: Watch) -> None:
    view = FakeView(container(health="starting"))
    watcher = watch(view).watcher
    assert not any(watcher.sees_failure() for _ in range(3))
    assert view.inspected == ["id-app"]
    view.found = [container(health="unhealthy")]
    assert watcher.sees_failure()


def test_a_container_that_is_not_fine_is_inspected_again_though_its_status_is_the_same(
    container: MakeContainer, watch: Watch, clock: Clock
) -> None:
    view = FakeView(container(health="starting"))
    watcher = watch(view).watcher
    watcher.sees_failure()
    clock.now += watching.FRESH
    watcher.sees_failure()
    view.found = [container()]
    watcher.sees_failure()
    clock.now += watching.FRESH
    watcher.sees_failure()
    assert view.inspected == ["id-app"] * 3


def test_a_container_that_goes_meanwhile_hides_no_other(container: MakeContainer, watch: Watch) -> None:
    view = FakeView(container(), container(component="redis", id="id-redis", health="unhealthy"))
    view.removed = {"id-app"}
    assert watch(view).watcher.sees_failure()


def test_after_a_failure_the_others_get_a_moment_to_end(container: MakeContainer, watch: Watch, clock: Clock) -> None:
    watched = watch(FakeView(container(health="starting")))
    watched.progress.errors.append("postgres: port is already allocated")
    assert not watched.watcher.sees_failure()
    clock.now += watching.GRACE
    assert not watched.watcher.sees_failure()
    clock.now += 0.1
    assert watched.watcher.sees_failure()
    assert watched.watcher.reasons == []


def test_what_a_failed_container_said_is_kept_when_it_is_gone(container: MakeContainer, watch: Watch) -> None:
    view = FakeView(container(health="unhealthy"))
    watcher = watch(view).watcher
    assert watcher.sees_failure()
    view.found.clear()
    [report] = watcher.reports()
    assert "last of id-app" in report


def test_an_engine_that_went_away_is_no_failure_of_a_container(container: MakeContainer, watch: Watch) -> None:
    view = FakeView(container(health="unhealthy"))
    watcher = watch(view).watcher
    view.broken = True
    assert not watcher.sees_failure()
    assert watcher.reports() == []


def test_one_that_was_started_again_has_failed(container: MakeContainer, watch: Watch) -> None:
    starting, other = container(health="starting"), container(id="id-other", name="other", health="starting")
    view = FakeView(starting, other)
    watcher = watch(view).watcher
    assert not watcher.sees_failure()
    view.found[:] = [replace(starting, started="2026-01-01T00:00:09Z"), other]
    for _ in range(2):
        assert watcher.sees_failure()
        assert watcher.reasons == ["dashtam-test-app ended and was started again."]
    assert [report.partition(":")[0] for report in watcher.reports()] == ["dashtam-test-app"]


def test_one_that_takes_long_is_told_once_and_then_given_up(
    container: MakeContainer, clock: Clock, watch: Watch
) -> None:
    watched = watch(FakeView(container(health="starting", checks=((1, "no route"),))))
    watcher, told = watched.watcher, watched.progress.reports
    seen = []
    for moment in (0.0, watching.QUIET, watching.QUIET + 1, WAIT, WAIT + 1):
        clock.now = 1000.0 + moment
        seen.append((watcher.sees_failure(), len(told)))
    assert seen == [(False, 0), (False, 0), (False, 1), (False, 1), (True, 1)]
    assert "no route" in told[0]
    assert "last of id-app" in told[0]
    assert watcher.reasons == ["dashtam-test-app was not healthy within 90 s (dashtam:health.wait)."]


@pytest.mark.parametrize(
    "changes", [{}, {"state": "created", "health": ""}, {"component": "files", "health": "", "checks": ()}]
)
def test_what_needs_no_more_time_gets_all_there_is(
    container: MakeContainer, clock: Clock, changes: dict[str, object], watch: Watch
) -> None:
    watched = watch(FakeView(container(**changes)))
    watcher, told = watched.watcher, watched.progress.reports
    for moment in (0.0, WAIT + 1):
        clock.now = 1000.0 + moment
        assert not watcher.sees_failure()
    assert told == []


def test_one_that_says_something_else_is_told_again(container: MakeContainer, clock: Clock, watch: Watch) -> None:
    view = FakeView(container(health="starting"))
    watched = watch(view)
    watcher, told = watched.watcher, watched.progress.reports
    seen = []
    for turn, check in enumerate(("first", "first", "first", "second", "second"), start=0):
        clock.now = 1000.0 + turn * (watching.QUIET + 1)
        view.found[:] = [container(health="starting", checks=((1, check),))]
        assert not watcher.sees_failure()
        seen.append(len(told))
    assert seen == [0, 1, 1, 2, 2]


def test_its_time_is_up(container: MakeContainer, clock: Clock, watch: Watch) -> None:
    watcher = watch(FakeView(container(health="starting")), timeout=20.0).watcher
    assert not watcher.sees_failure()
    clock.now += 21
    assert watcher.sees_failure()
    assert watcher.reasons == ["It was not done within 20 s (--wait-timeout)."]
