from __future__ import annotations

from collections.abc import Callable
from unittest.mock import Mock

import pytest

from cli.engine import health
from cli.engine.container import ContainerView
from infra.services.health import MARK
from tests.unit.cli.conftest import MakeContainer


def _view(*looks: list[ContainerView]) -> Mock:
    view = Mock()
    view.containers.side_effect = [*looks, *[looks[-1]] * 100]
    return view


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.core.wait.POLL_SECONDS", 0)


def test_what_starts_is_waited_for(container: MakeContainer) -> None:
    view = _view([container(health="starting")], [container(health="starting")], [container()])
    seen: list[str] = []
    assert health.settled(view, "test", "me", look=lambda found: seen.extend(one.health for one in found)) == []
    assert seen == ["starting", "starting", "healthy"]


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
    assert health.settled(_view([container(component="files", state="exited", health="")]), "test", "me") == []


@pytest.mark.parametrize(("answers", "healthy"), [([(0, "")], True), ([(1, "starts"), (0, "")], True), ([], False)])
def test_a_server_that_reloads_is_asked_itself(
    container: MakeContainer, monkeypatch: pytest.MonkeyPatch, answers: list[tuple[int, str]], healthy: bool
) -> None:
    monkeypatch.setattr(health, "RELOAD_SECONDS", 0.05)
    old, new = "2026-01-02T03:04:05.5Z", "2026-01-02T03:04:06.5Z"
    fresh = container(id="id-callback", component="callback", reload_check="probe", started=new)
    view = _view([container(reload_check="probe", started=old), fresh, container(component="redis", started=old)])
    view.execute.side_effect = [*answers, *[(1, "503: it can't run\n")] * 1000]
    found = health.broken_by_an_edit(view, "test", "me", before=new)
    assert [(one.health, one.checks[-1]) for one in found] == [("unhealthy", (1, "503: it can't run"))] * (not healthy)
    assert {(one.args[0], *one.args[1]) for one in view.execute.call_args_list} == {
        ("id-app", "sh", "-c", f"rm -f {MARK}; probe"),
    }
