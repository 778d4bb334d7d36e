from __future__ import annotations

from collections.abc import Callable
from unittest.mock import Mock, PropertyMock

import pytest

from cli.engine import health
from cli.engine.container import ContainerView
from infra.services.health import MARK
from tests.unit.cli.conftest import MakeContainer


def _view(*looks: list[ContainerView]) -> Mock:
    view = Mock()
    view.services.return_value = []
    view.containers.side_effect = [*looks, *[looks[-1]] * 100]
    return view


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.core.wait.POLL_SECONDS", 0)


def test_what_starts_is_waited_for(container: MakeContainer) -> None:
    view = _view([container(health="starting")], [container(health="starting")], [container()])
    seen: list[str] = []
    found = health.settled(view, "test", "me", look=lambda found: seen.extend(one.health for one in found))
    assert found == (True, [])
    assert seen == ["starting", "starting", "healthy"]


@pytest.mark.parametrize("changes", [{"health": "unhealthy"}, {"state": "exited"}, {"state": "restarting"}])
def test_what_can_not_become_healthy_is_not_waited_for(
    container: Callable[..., ContainerView], changes: dict[str, str]
) -> None:
    view = _view([container(**changes)])
    is_healthy, unhealthy = health.settled(view, "test", "me")
    assert (is_healthy, [one.name for one in unhealthy]) == (False, ["dashtam-test-app"])
    assert view.containers.call_count == 1


def test_it_ends(container: MakeContainer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "SECONDS", 0.0)
    starting = container(health="starting")
    assert health.settled(_view([starting]), "test", "me") == (False, [starting])


def test_what_is_no_service_and_what_is_not_named_is_passed_over(container: MakeContainer) -> None:
    files, redis = container(component="files", state="exited", health=""), container(component="redis", state="dead")
    assert health.settled(_view([container(), files]), "test", "me") == (True, [])
    assert health.settled(_view([container(), redis]), "test", "me", {"app"}) == (True, [])


def test_a_service_without_a_container_is_not_healthy(container: MakeContainer) -> None:
    assert health.settled(_view([container()]), "test", "me", {"redis"}) == (False, [])


def test_a_service_of_a_swarm_is_waited_for_until_it_has_all_of_its_replicas(container: MakeContainer) -> None:
    view, replica = _view([], [container(replica="app.1")]), Mock(component="app")
    view.services.side_effect = [[replica], [replica], [replica]]
    type(replica).is_fine = PropertyMock(side_effect=[False, False, True])
    assert health.settled(view, "test", "me", {"app"}) == (True, [])
    assert view.containers.call_count == 3


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
