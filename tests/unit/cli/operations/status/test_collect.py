from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from cli.core.errors import UserError
from cli.environments import clone, states
from cli.environments.clone import Clone
from cli.operations.status import collect
from cli.pulumi.stack_state import NETWORK, Resource, StackState
from tests.unit.cli.conftest import MakeContainer
from tests.unit.cli.operations.status.conftest import MakeOverview
from tests.unit.cli.operations.test_drift import document as _document

HERE = Clone("me", Path("/home/me/dashtam"), Path("/home/me/data"))
STATE = StackState([Resource("pulumi:pulumi:Stack", "s", "", outputs={"volumes": {"postgres": "data"}})])


def _service(stack: str, owner: str) -> dict[str, Any]:
    made = _document()
    made["State"]["StartedAt"] = ""
    made["NetworkSettings"]["Ports"] = {}
    made["Config"]["Image"] = "sha256:a"
    made["Config"]["Labels"] |= {
        "dashtam.stack": stack,
        "dashtam.owner": owner,
        "dashtam.component": "app",
    }
    return made


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> Mock:
    made = Mock(services=lambda *_: [], service_documents=lambda *_: [])
    made.documents.return_value = [_service("gone", "me")]
    made.volume_documents.return_value = []
    made.network_documents.return_value = []
    monkeypatch.setattr(collect, "configured_stacks", lambda: ["dev", "test"])
    monkeypatch.setattr(states, "read", Mock(return_value=STATE))
    return made


def _sizes(known: dict[str, int]) -> Mock:
    return Mock(of=Mock(return_value=known))


def test_this_clones_environments_configured_or_there(view: Mock) -> None:
    found = collect.gather(view, HERE, None, everyone=False, sizes=_sizes({"data": 5, "other": 6}))
    assert [(one.environment, one.owner, len(one.services)) for one in found] == [
        ("dev", "me", 0),
        ("gone", "me", 1),
        ("test", "me", 0),
    ]
    assert all(one.data == {"data": 5} for one in found)
    view.documents.assert_called_once_with(None, "me")


@pytest.mark.parametrize("sizes", [None, _sizes({})])
def test_one_environment_alone_and_nothing_measured(view: Mock, sizes: Mock | None) -> None:
    [one] = collect.gather(view, HERE, ["dev"], everyone=False, sizes=sizes)
    assert (one.environment, one.data, one.folder) == ("dev", {"data": None}, "/home/me/dashtam")
    view.documents.assert_called_once_with("dev", "me")


def test_others_come_last_and_their_state_is_looked_for_in_their_place(
    view: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    view.documents.return_value = [_service("dev", "you"), _service("dev", "stranger")]
    theirs = Clone("you", Path("/home/you/dashtam"), Path("/home/you/data"))
    monkeypatch.setattr(clone, "known", lambda owner: theirs if owner == "you" else None)
    read = Mock(return_value=STATE)
    monkeypatch.setattr(states, "read", read)
    found = collect.gather(view, HERE, None, everyone=True, sizes=None)
    assert [(one.owner, one.environment, one.folder, one.drift is None) for one in found] == [
        ("me", "dev", "/home/me/dashtam", False),
        ("me", "test", "/home/me/dashtam", False),
        ("stranger", "dev", "", True),
        ("you", "dev", "/home/you/dashtam", False),
    ]
    assert (theirs, "dev", {"PULUMI_BACKEND_URL": theirs.backend_url}) in [call.args for call in read.call_args_list]


@pytest.mark.parametrize("error", [UserError("no Pulumi"), OSError(), ValueError()])
def test_a_state_that_cannot_be_read_leaves_drift_unknown(
    view: Mock, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(states, "read", Mock(side_effect=error))
    [one] = collect.gather(view, HERE, ["dev"], everyone=False, sizes=_sizes({"data": 5}))
    assert (one.drift, one.expiry, one.data) == (None, None, None)


def test_a_state_of_another_clone_in_a_shared_backend_is_not_shown(view: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = [{"label": "dashtam.owner", "value": "you"}, {"label": "dashtam.project", "value": "dashtam"}]
    theirs = Resource(NETWORK, "network", "n", outputs={"name": "dashtam-dev-network", "labels": labels})
    monkeypatch.setattr(states, "read", Mock(return_value=StackState([*STATE.resources, theirs])))
    [found] = collect.gather(view, HERE, ["dev"], everyone=False, sizes=None)
    assert (found.state, found.drift, found.data) == ("down", None, None)


def test_a_checkout_in_which_nothing_was_done(view: Mock) -> None:
    view.documents.return_value = []
    found = collect.gather(view, None, None, everyone=False, sizes=None)
    assert [(one.environment, one.state, one.drift) for one in found] == [("dev", "down", None), ("test", "down", None)]


@pytest.mark.parametrize(
    ("services", "state"),
    [
        ([], "down"),
        ([{}], "up"),
        ([{}, {"state": "exited", "health": ""}], "partly up"),
        ([{"health": "starting"}], "partly up"),
        ([{"state": "exited", "health": ""}], "down"),
    ],
)
def test_the_state_of_an_environment(
    overview: MakeOverview, container: MakeContainer, services: list[dict[str, object]], state: str
) -> None:
    one = overview(services=[container(**changes) for changes in services])
    assert one.state == state
