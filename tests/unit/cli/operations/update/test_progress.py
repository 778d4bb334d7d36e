from __future__ import annotations

import io
import time
from collections.abc import Sequence
from typing import Any

import pytest
from rich.console import Console

from cli.engine.tasks import ServiceView
from cli.operations.update.progress import ROWS, UpdateProgress, display, row_of
from tests.unit.cli.conftest import MakeContainer

CONTAINER = "docker:index/container:Container"
IMAGE = "docker:index/remoteImage:RemoteImage"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"


def _step(kind: str, name: str, op: str) -> dict[str, Any]:
    return {"metadata": {"type": kind, "urn": f"urn:pulumi:test::dashtam::{kind}::{name}", "op": op}}


def _follow(*events: dict[str, Any], terminal: bool = False) -> tuple[UpdateProgress, str]:
    written = io.StringIO()
    with display(["test"], Console(file=written, force_terminal=terminal, width=120)) as (progress,):
        for event in events:
            progress.on_event(event)
    return progress, written.getvalue()


@pytest.mark.parametrize(
    ("kind", "name", "row"),
    [
        (IMAGE, "postgres", "images"),
        (NETWORK, "network", "network"),
        (CONTAINER, "dashtam-test-app", "app"),
        (CONTAINER, "dashtam-test-files", "files"),
        (CONTAINER, "dashtam-review-42-callback", "callback"),
        (CONTAINER, "somebody", None),
        (VOLUME, "postgres_dev_data", None),
    ],
)
def test_rows(kind: str, name: str, row: str | None) -> None:
    assert row_of(kind, f"urn::{name}") == row
    assert row is None or row in ROWS


def test_services_that_were_started_without_an_update_are_told_until_they_are_healthy(
    container: MakeContainer,
) -> None:
    looks = [
        [container(health="starting"), container(component="redis")],
        [container(health="starting"), container(component="redis")],
        [container(), container(component="redis", health="starting")],
        [container(), container(component="redis")],
    ]
    written = io.StringIO()
    with display(["test"], Console(file=written, width=120)) as (progress,):
        for look in looks:
            progress.on_started(look)
    assert [line.partition(" (")[0] for line in written.getvalue().splitlines()] == [
        "test app: waiting for health",
        "test app: healthy",
        "test redis: waiting for health",
        "test redis: healthy",
    ]


def test_a_services_way_to_health_is_told_in_lines() -> None:
    _, written = _follow(
        {"resourcePreEvent": _step(CONTAINER, "dashtam-test-files", "create")},
        {"resOutputsEvent": _step(CONTAINER, "dashtam-test-files", "create")},
        {"resourcePreEvent": _step(CONTAINER, "dashtam-test-app", "create")},
        {"resOutputsEvent": _step(CONTAINER, "dashtam-test-app", "create")},
    )
    told = [line.partition(" (")[0] for line in written.splitlines()]
    assert told == [
        "test files: installing certificates and secrets",
        "test files: ready",
        "test app: starting",
        "test app: healthy",
    ]


def test_what_only_the_engine_knows_is_told(container: MakeContainer) -> None:
    written = io.StringIO()
    progress = UpdateProgress("test", Console(file=written))
    progress.on_containers([container(state="running")])
    progress.on_event({"resourcePreEvent": _step(CONTAINER, "dashtam-test-app", "create")})
    for state in ("created", "running", "running"):
        progress.on_containers([container(state=state)])
    progress.on_event({"resOutputsEvent": _step(CONTAINER, "dashtam-test-app", "create")})
    progress.on_containers([container(state="running")])
    told = [line.partition(" (")[0] for line in written.getvalue().splitlines()]
    assert told == ["test app: starting", "test app: waiting for health", "test app: healthy"]


def test_what_health_checks_say_is_told_once_a_change_and_only_where_it_takes_long(
    container: MakeContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    written = io.StringIO()
    progress = UpdateProgress("test", Console(file=written, width=40, markup=False))
    progress.on_event({"resourcePreEvent": _step(CONTAINER, "dashtam-test-app", "create")})
    long = "refused by a host of a long name [/x]"
    for moment, said in ((0, "early"), (3, "early"), (6, ""), (7, f"{long}\n"), (8, long), (9, "503")):
        now[0] = 100.0 + moment
        progress.on_containers([container(health="starting", checks=((1, said),))])
    assert written.getvalue().splitlines() == [
        "test app: starting (0.0 s)",
        "test app: waiting for health (0.0 s)",
        f"test app: waiting for health (7.0 s): {long}",
        "test app: waiting for health (9.0 s): 503",
    ]


def test_a_table_shows_what_health_checks_say(container: MakeContainer) -> None:
    written = io.StringIO()
    with display(["test"], Console(file=written, force_terminal=True, width=80)) as (progress,):
        progress.on_event({"resourcePreEvent": _step(CONTAINER, "dashtam-test-app", "create")})
        progress.on_containers([container(health="starting", checks=((1, "no [/x] route"),))])
    assert "no [/x] route" in written.getvalue()


def test_what_a_service_says_is_shown_as_it_is() -> None:
    written = io.StringIO()
    UpdateProgress("test", Console(file=written, markup=False)).show_report("app: starting\n  | [/x]")
    assert written.getvalue() == "app: starting\n  | [/x]\n"


def test_environments_are_shown_together() -> None:
    written = io.StringIO()
    with display(["dev", "test"], Console(file=written, force_terminal=True, width=120)) as followed:
        for progress in followed:
            progress.on_event({"resOutputsEvent": _step(NETWORK, "network", "create")})
    assert all(f"{stack} network" in written.getvalue() for stack in ("dev", "test"))


def test_what_stays_as_it_is_is_not_told() -> None:
    _, written = _follow(
        {"resourcePreEvent": _step(CONTAINER, "dashtam-test-app", "same")},
        {"resOutputsEvent": _step(CONTAINER, "dashtam-test-app", "same")},
        {"resOutputsEvent": _step(VOLUME, "postgres_dev_data", "create")},
    )
    assert written == ""


def test_a_failure_stays_a_failure() -> None:
    _, written = _follow(
        {"resourcePreEvent": _step(CONTAINER, "dashtam-test-app", "create")},
        {"resOpFailedEvent": _step(CONTAINER, "dashtam-test-app", "create")},
        {"resOutputsEvent": _step(CONTAINER, "dashtam-test-app", "create")},
    )
    assert "app: failed" in written
    assert "healthy" not in written.splitlines()[-1]


def test_errors_are_noted_once_and_warnings_are_not() -> None:
    events = [
        {"diagnosticEvent": {"severity": severity, "message": message}}
        for severity, message in [("error", "boom\n"), ("error", "boom"), ("warning", "hm"), ("error", " ")]
    ]
    progress, _ = _follow(*events)
    assert progress.errors == ["boom"]


def test_a_terminal_gets_a_table() -> None:
    _, written = _follow(
        {"resourcePreEvent": _step(NETWORK, "network", "create")},
        {"resOutputsEvent": _step(NETWORK, "network", "create")},
        terminal=True,
    )
    assert "test network" in written
    assert "ready" in written


def test_what_is_under_way_is_shown_as_it_is() -> None:
    _, written = _follow({"resourcePreEvent": _step(NETWORK, "network", "create")}, terminal=True)
    assert "creating" in written
    assert "[]" not in written


def test_an_event_of_another_kind_is_passed_over() -> None:
    progress, written = _follow({"summaryEvent": {}}, {"preludeEvent": {"config": {}}})
    assert (progress.errors, written) == ([], "")


def test_what_installed_files_goes_without_a_word() -> None:
    files = "dashtam-test-files"
    _, written = _follow(
        {"resourcePreEvent": _step(CONTAINER, "dashtam-test-app", "delete")},
        {"resOutputsEvent": _step(CONTAINER, "dashtam-test-app", "delete")},
        {"resourcePreEvent": _step(CONTAINER, files, "delete")},
        {"resOutputsEvent": _step(CONTAINER, files, "delete")},
    )
    assert [line.split(" (")[0] for line in written.splitlines()] == ["test app: stopping", "test app: removed"]


SWARM_SERVICE = "docker:index/service:Service"
SWARM_SECRET = "docker:index/secret:Secret"


def _service(running: int = 3, updated: int = 3, update: str = "") -> ServiceView:
    return ServiceView("1", "dashtam-test-app", "app", 3, running, updated, "image:2", update)


def _told(*events: dict[str, Any], services: Sequence[ServiceView]) -> list[str]:
    written = io.StringIO()
    with display(["test"], Console(file=written, force_terminal=False, width=120)) as (progress,):
        for event in events:
            progress.on_event(event)
        for one in services:
            progress.on_services([one])
    return [line.partition(" (")[0] for line in written.getvalue().splitlines()]


@pytest.mark.parametrize(("kind", "ends"), [(CONTAINER, "updated"), (SWARM_SERVICE, "healthy")])
def test_a_container_that_is_changed_in_place_is_not_waited_for(kind: str, ends: str) -> None:
    step = _step(kind, "dashtam-test-app", "update")
    assert _told({"resourcePreEvent": step}, {"resOutputsEvent": step}, services=[]) == [
        "test app: updating",
        f"test app: {ends}",
    ]


def test_a_swarms_new_service_tells_how_many_run() -> None:
    begins = {"resourcePreEvent": _step(SWARM_SERVICE, "dashtam-test-app", "create")}
    told = _told(begins, services=[_service(running=0), _service(running=2), _service()])
    assert told == ["test app: starting", "test app: 0 of 3 running", "test app: 2 of 3 running"]


def test_a_rolling_update_tells_how_far_it_is() -> None:
    begins = {"resourcePreEvent": _step(SWARM_SERVICE, "dashtam-test-app", "update")}
    seen = [_service(update="updating", updated=0), _service(update="updating", updated=1, running=4)]
    assert _told(begins, services=seen) == [
        "test app: updating",
        "test app: 0 of 3 updated",
        "test app: 1 of 3 updated",
    ]


def test_what_was_rolled_back_stays_so() -> None:
    begins = {"resourcePreEvent": _step(SWARM_SERVICE, "dashtam-test-app", "update")}
    seen = [_service(update="rollback_started"), _service(update="rollback_completed"), _service()]
    assert _told(begins, services=seen) == ["test app: updating", "test app: rolling back", "test app: rolled back"]


def test_services_that_the_update_leaves_are_not_told() -> None:
    assert _told(services=[_service(running=1)]) == []


def test_many_secrets_are_told_once() -> None:
    secrets = [
        {event: _step(SWARM_SECRET, f"dashtam-test-app-{name}", "create")}
        for name in ("key", "ca.crt")
        for event in ("resourcePreEvent", "resOutputsEvent")
    ]
    assert _told(*secrets, services=[]) == ["test files: installing certificates and secrets", "test files: ready"]
