"""What is done about a restore that was broken off, by how far it had come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock, call

import pytest

from cli.clone import Clone
from cli.errors import UserError
from cli.snapshots import journal, parts, switch
from cli.snapshots.helper import Part
from cli.snapshots.journal import Entry, Phase
from cli.streams import CommandError
from infra.naming import Naming
from tests.unit.cli.conftest import MakeContainer

NAMING = Naming("dev", "me")
PARTS = tuple(Part(name, f"{name}_dev_data", "image", "1:1") for name in ("postgres", "redis"))


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone("me", tmp_path, tmp_path / "home")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """What the volumes are worked on with."""
    made = Mock()

    @contextmanager
    def helper(*_: object, **__: object) -> Iterator[Mock]:
        yield made

    monkeypatch.setattr(switch, "helper", helper)
    monkeypatch.setattr(parts, "volumes", lambda *_: {part.volume for part in PARTS})
    return made


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch, container: MakeContainer) -> Mock:
    found = Mock()
    states = {"postgres": "running", "redis": "exited", "app": "running"}
    found.containers.return_value = [container(component=name, id=name, state=state) for name, state in states.items()]
    monkeypatch.setattr(switch, "EngineView", Mock(return_value=found))
    return found


def _note(clone: Clone, phase: Phase) -> None:
    journal.of(clone, "dev").write(Entry(format=2, snapshot="one", phase=phase, parts=PARTS))


@pytest.mark.usefixtures("view")
def test_where_none_was_broken_off_nothing_is_done(clone: Clone, opened: Mock) -> None:
    assert not switch.finish(Mock(), clone, NAMING)
    assert opened.mock_calls == []


def test_one_that_had_replaced_nothing_is_undone(clone: Clone, opened: Mock, view: Mock) -> None:
    _note(clone, Phase.STAGING)
    client = Mock()
    assert not switch.finish(client, clone, NAMING)
    assert opened.script.mock_calls == [call(switch.DISCARD)] * 2
    assert view.stop.mock_calls == client.api.start.mock_calls == []
    assert journal.of(clone, "dev").read() is None


def test_one_that_had_begun_is_finished_and_what_is_stopped_for_it_runs_again(
    clone: Clone, opened: Mock, view: Mock
) -> None:
    _note(clone, Phase.SWITCHING)
    client = Mock()
    assert switch.finish(client, clone, NAMING)
    assert opened.script.mock_calls == [call(switch.SWITCH)] * 2
    assert view.stop.mock_calls == [call("postgres", switch.STOP_SECONDS)]
    assert client.api.start.mock_calls == [call("postgres")]
    assert journal.of(clone, "dev").read() is None


@pytest.mark.usefixtures("view")
def test_one_that_can_not_be_finished_is_told_and_tried_again(clone: Clone, opened: Mock) -> None:
    _note(clone, Phase.SWITCHING)
    opened.script.side_effect = CommandError(1, "mktemp: No space left on device")
    client = Mock()
    with pytest.raises(UserError, match="A restore of dev was broken off, and can't be finished") as raised:
        switch.finish(client, clone, NAMING)
    assert "No space left" in raised.value.cause
    # On half of the data nothing is started.
    assert client.api.start.mock_calls == []
    assert journal.of(clone, "dev").read() is not None
