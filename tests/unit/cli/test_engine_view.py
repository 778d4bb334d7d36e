from __future__ import annotations

from http import HTTPStatus
from unittest.mock import Mock, call

import pytest
from docker.errors import APIError, NotFound

from cli import engine_view
from cli.engine_view import EngineView
from tests.unit.cli.inspected import DOCUMENT, LABELS


@pytest.fixture
def api() -> Mock:
    made = Mock()
    made.containers.return_value = [{"Id": "id-app"}]
    made.inspect_container.return_value = DOCUMENT
    return made


@pytest.fixture
def view(api: Mock) -> EngineView:
    client = Mock()
    client.api = api
    return EngineView(client)


def _conflict() -> APIError:
    return APIError("removal is already in progress", response=Mock(status_code=HTTPStatus.CONFLICT))


def test_containers_as_they_are_now(view: EngineView) -> None:
    assert [(one.name, one.state) for one in view.containers()] == [("dashtam-test-app", "running")]


@pytest.mark.parametrize(
    ("stack", "owner", "labels"),
    [
        (None, None, ["dashtam.project=dashtam"]),
        ("test", None, ["dashtam.project=dashtam", "dashtam.stack=test"]),
        ("test", "me", ["dashtam.project=dashtam", "dashtam.stack=test", "dashtam.owner=me"]),
    ],
)
def test_only_what_is_asked_for_is_found(
    view: EngineView, api: Mock, stack: str | None, owner: str | None, labels: list[str]
) -> None:
    view.containers(stack, owner)
    api.containers.assert_called_once_with(all=True, filters={"label": labels})


def test_a_container_that_goes_meanwhile_is_passed_over(view: EngineView, api: Mock) -> None:
    api.inspect_container.side_effect = NotFound("gone")
    assert view.containers() == []


def test_what_goes_already_is_waited_for(view: EngineView, api: Mock) -> None:
    api.remove_container.side_effect = _conflict()
    api.inspect_container.side_effect = [{}, {}, NotFound("gone")]
    view.remove_container("id-app")
    assert api.inspect_container.call_count == 3


def test_what_goes_and_never_is_gone_is_told(view: EngineView, api: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_view, "REMOVAL_SECONDS", 0)
    api.remove_container.side_effect = _conflict()
    with pytest.raises(APIError) as raised:
        view.remove_container("id-app")
    assert raised.value.status_code == HTTPStatus.CONFLICT


@pytest.mark.parametrize("method", ["remove_container", "inspect_network"])
def test_what_is_gone_needs_no_removal(view: EngineView, api: Mock, method: str) -> None:
    getattr(api, method).side_effect = NotFound("gone")
    api.inspect_network.return_value = {"Containers": {}}
    view.remove_container("id-app")
    view.remove_network("net")


def test_another_refusal_is_told(view: EngineView, api: Mock) -> None:
    api.remove_container.side_effect = APIError("no", response=Mock(status_code=500))
    with pytest.raises(APIError):
        view.remove_container("id-app")


def test_a_network_is_removed_with_its_connections(view: EngineView, api: Mock) -> None:
    api.inspect_network.return_value = {"Containers": {"id-app": {}}}
    view.remove_network("net")
    api.disconnect_container_from_network.assert_called_once_with("id-app", "net", force=True)
    api.remove_network.assert_called_once_with("net")


def test_everything_that_holds_a_name(view: EngineView, api: Mock) -> None:
    api.containers.return_value = [
        {"Names": ["/web"], "Labels": None, "Ports": [{"PublicPort": 80}, {"PrivatePort": 81}]},
        {"Names": [], "Labels": {}, "Ports": []},
    ]
    api.networks.return_value = [{"Name": "net", "Labels": LABELS}]
    api.volumes.return_value = {"Volumes": None}
    found = [(one.kind, one.name, one.owner, set(one.host_ports)) for one in view.holdings()]
    assert found == [("container", "web", "", {80}), ("network", "net", "me", set())]


def test_last_lines(view: EngineView, api: Mock) -> None:
    api.logs.return_value = b"one\n\xff two\n"
    assert view.last_lines("id-app", 5) == ["one", "\ufffd two"]
    api.logs.side_effect = NotFound("gone")
    assert view.last_lines("id-app", 5) == []


def test_a_command_runs_to_its_end(view: EngineView, api: Mock) -> None:
    api.exec_create.return_value = {"Id": "exec-1"}
    api.exec_start.return_value = b"done\xff"
    api.exec_inspect.return_value = {"ExitCode": 3}
    assert view.execute("id-app", ("echo", "done")) == (3, "done\ufffd")
    api.exec_create.assert_called_once_with("id-app", ["echo", "done"])


def test_one_that_is_paused_is_stopped(view: EngineView, api: Mock) -> None:
    api.stop.side_effect = [APIError("paused"), None]
    view.stop("id-app", 30)
    assert api.unpause.mock_calls == [call("id-app")]
    assert api.stop.mock_calls == [call("id-app", timeout=30)] * 2


def test_one_that_can_not_be_stopped_says_so(view: EngineView, api: Mock) -> None:
    api.stop.side_effect = APIError("stuck")
    api.unpause.side_effect = APIError("not paused")
    with pytest.raises(APIError, match="stuck"):
        view.stop("id-app", 30)
