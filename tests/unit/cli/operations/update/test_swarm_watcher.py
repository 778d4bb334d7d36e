from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from cli.engine.tasks import ServiceView
from cli.environments import targets
from cli.environments.clone import Clone
from cli.operations.update import swarm_watcher
from cli.operations.update.swarm_watcher import SwarmWatcher
from tests.unit.cli.swarm_double import Swarm

if TYPE_CHECKING:
    from cli.operations.session import Session
    from cli.operations.update.progress import UpdateProgress

Watch = Callable[..., SwarmWatcher]


class Progress:
    """Notes what services do."""

    def __init__(self) -> None:
        self.seen: list[Sequence[ServiceView]] = []

    def on_services(self, services: Iterable[ServiceView]) -> None:
        self.seen.append([*services])


@pytest.fixture
def swarm() -> Swarm:
    made = Swarm("node1", "node2")
    made.run("app", replicas=2)
    made.run("redis")
    return made


@pytest.fixture
def progress() -> Progress:
    return Progress()


@pytest.fixture
def watch(swarm: Swarm, progress: Progress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.setattr(swarm_watcher, "INTERVAL", 0.0)
    view = swarm.view(monkeypatch, "node1", "node2")
    monkeypatch.setattr(targets, "view", lambda _client, _root: view)

    def start(timeout: float | None = None) -> SwarmWatcher:
        session = SimpleNamespace(connect=lambda: None, clone=Clone("me", tmp_path, tmp_path))
        return SwarmWatcher(cast("Session", session), "staging", cast("UpdateProgress", progress), timeout)

    return start


def _fail(swarm: Swarm, task: str) -> None:
    swarm.tasks[task] |= {"DesiredState": "shutdown"}
    swarm.tasks[task]["Status"] |= {"State": "failed", "Err": "unhealthy container", "Timestamp": swarm.now()}
    swarm.said[task] = b"no database\n"


def test_progress_gets_what_services_do(watch: Watch, progress: Progress) -> None:
    assert not watch().sees_failure()
    assert [(one.component, one.running, one.wanted) for one in progress.seen[-1]] == [("app", 2, 2), ("redis", 1, 1)]


def test_a_rollback_is_told_with_the_state_and_log_of_what_failed(swarm: Swarm, watch: Watch) -> None:
    watcher = watch()
    _fail(swarm, "task-1")
    swarm.services["service-app-me"]["UpdateStatus"] = {
        "State": "rollback_completed",
        "StartedAt": swarm.now(),
        "Message": "rollback completed",
    }
    assert not watcher.sees_failure(), "the Swarm ends it"
    (report,) = watcher.reports()
    assert "dashtam-staging-app.1@node1: failed, unhealthy container" in report
    assert "no database" in report
    assert watcher.reasons == ["The update of dashtam-staging-app was rolled back, and runs as before."]


def test_what_an_earlier_update_left_is_not_of_this_one(swarm: Swarm, watch: Watch, progress: Progress) -> None:
    _fail(swarm, "task-1")
    swarm.services["service-app-me"]["UpdateStatus"] = {"State": "rollback_completed", "StartedAt": swarm.now()}
    watcher = watch()
    assert watcher.reports() == []
    assert watcher.reasons == []
    assert [one.update for one in progress.seen[-1]] == ["", ""]


def test_a_failure_that_the_swarm_made_good_is_not_reported(swarm: Swarm, watch: Watch) -> None:
    watcher = watch()
    _fail(swarm, "task-1")
    assert len(watcher.reports()) == 1
    swarm.task("service-app-me", 1)
    assert watcher.reports() == []


def test_only_time_ends_it(watch: Watch) -> None:
    watcher = watch(timeout=0.0)
    assert watcher.sees_failure()
    assert "--wait-timeout" in watcher.reasons[0]
