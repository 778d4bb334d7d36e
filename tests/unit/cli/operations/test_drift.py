from __future__ import annotations

import copy
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from cli.environments import states
from cli.environments.clone import Clone
from cli.operations.drift import EngineReading, differences, look
from cli.pulumi.stack_state import CONTAINER, IMAGE, NETWORK, VOLUME, Resource, StackState
from tests.unit.cli.engine.test_diff import DOCUMENT, INPUTS

OWN = {"dashtam.project": "dashtam", "dashtam.stack": "test", "dashtam.owner": "me", "dashtam.component": "x"}
LABELS = [{"label": name, "value": value} for name, value in OWN.items()]
STATE = StackState(
    [
        Resource(IMAGE, "app", "1", inputs={"name": "app:1"}, outputs={"imageId": "sha256:a"}),
        Resource(VOLUME, "data", "data", inputs={"name": "data", "labels": LABELS}),
        Resource(NETWORK, "network", "net-1", inputs={"name": "net", "internal": True, "labels": LABELS}),
        Resource(CONTAINER, "dashtam-test-app", "c" * 64, inputs=INPUTS),
    ]
)


def document(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever the engine has
    made = {"Id": "c" * 64, **copy.deepcopy(DOCUMENT), **changes}
    made["Config"]["Labels"] |= OWN
    return made


@pytest.fixture
def view() -> Mock:
    """An engine that has all that is recorded."""
    made = Mock(service_documents=lambda *_: [])
    made.documents.return_value = [document()]
    made.container_document.return_value = None
    made.image_document.return_value = {"Id": "sha256:a"}
    made.volume_documents.return_value = [{"Name": "data", "Driver": "local", "Labels": OWN}]
    network = {"Name": "net", "Id": "net-1", "Driver": "bridge", "Internal": True, "Labels": OWN}
    made.network_documents.return_value = [{"Name": "bridge", "Id": "0", "Labels": None}, network]
    return made


def _look(view: Mock) -> list[tuple[str, str, str, str, str]]:
    found = differences(STATE, EngineReading(view), "test", "me")
    return [(one.kind, one.resource, one.property, one.was, one.now) for one in found]


def test_what_is_as_recorded_does_not_differ(view: Mock) -> None:
    assert _look(view) == []


def test_an_image_that_another_took_the_name_of(view: Mock) -> None:
    view.image_document.return_value = {"Id": "sha256:b"}
    assert _look(view) == [("image", "app:1", "image", "sha256:a", "sha256:b")]
    view.image_document.return_value = None
    assert _look(view) == [("image", "app:1", "image", "sha256:a", "missing")]


def test_a_volume_that_is_gone_or_another(view: Mock) -> None:
    view.volume_documents.return_value = []
    assert _look(view) == [("volume", "data", "volume", "data", "missing")]
    view.volume_documents.return_value = [{"Name": "data", "Driver": "nfs", "Labels": {**OWN, "dashtam.owner": "you"}}]
    assert _look(view) == [
        ("volume", "data", "driver", "local", "nfs"),
        ("volume", "data", "label dashtam.owner", "me", "you"),
    ]


def test_a_network_that_is_gone_or_another(view: Mock) -> None:
    view.network_documents.return_value = []
    assert _look(view) == [("network", "net", "network", "net-1", "missing")]
    view.network_documents.return_value = [
        {"Name": "net", "Id": "net-2", "Driver": "bridge", "Internal": False, "Labels": OWN}
    ]
    assert _look(view) == [
        ("network", "net", "network", "net-1", "net-2"),
        ("network", "net", "internal", "true", "false"),
    ]


def test_a_container_that_is_gone(view: Mock) -> None:
    view.documents.return_value = []
    assert _look(view) == [("container", "dashtam-test-app", "container", "c" * 12, "missing")]


@pytest.mark.parametrize("labelled", [True, False])
def test_a_container_in_the_place_of_another_is_compared_whole(view: Mock, labelled: bool) -> None:
    other = document(Id="d" * 64, Image="sha256:b")
    view.documents.return_value = []
    view.container_document.side_effect = lambda name: other if name == "dashtam-test-app" else None
    if labelled:
        view.documents.return_value = [other]
    assert _look(view) == [
        ("container", "dashtam-test-app", "container", "c" * 12, "d" * 12),
        ("container", "dashtam-test-app", "image", "sha256:a", "sha256:b"),
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [({}, True), ({"dashtam.component": "tests"}, False), ({"dashtam.owner": "you"}, False)],
)
def test_what_nobody_recorded(view: Mock, changes: dict[str, str], told: bool) -> None:
    extra = document(Id="e" * 64, Name="/extra")
    extra["Config"]["Labels"] |= changes
    view.documents.return_value.append(extra)
    assert _look(view) == ([("container", "extra", "container", "none", "e" * 12)] if told else [])


def test_an_environment_as_it_is_now(view: Mock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(states, "read", Mock(return_value=STATE))
    assert look(view, Clone("me", tmp_path, tmp_path), "test") == []
    view.documents.assert_called_once_with("test", "me")
