from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import Mock

import pulumi
import pytest

from infra import state

FOUND = SimpleNamespace(value={"outputs": {"one": {"type": "docker:index/volume:Volume", "outputs": {"name": "data"}}}})
WRITING = Exception("invoke failed: failed to load checkpoint: EOF")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Mock:
    invoke = Mock()
    monkeypatch.setattr(pulumi.runtime, "invoke", invoke)
    monkeypatch.setattr(pulumi, "get_organization", lambda: "organization")
    monkeypatch.setattr(pulumi, "get_project", lambda: "dashtam")
    monkeypatch.setattr(state, "PAUSE", 0.0)
    return invoke


@pytest.mark.parametrize("before", [[], [WRITING], [WRITING] * (state.TRIES - 1)])
def test_a_state_that_is_being_written_is_read_once_it_is(engine: Mock, before: list[Exception]) -> None:
    engine.side_effect = [*before, FOUND]
    assert [one.name for one in state.read("dev")] == ["data"]
    engine.assert_called_with(state.READ, {"stackName": "organization/dashtam/dev"})


@pytest.mark.parametrize(
    ("failures", "calls"), [([Exception("wrong passphrase")], 1), ([WRITING] * state.TRIES, state.TRIES)]
)
def test_one_that_can_not_be_read_is_told(engine: Mock, failures: list[Exception], calls: int) -> None:
    engine.side_effect = failures
    with pytest.raises(Exception, match=str(failures[0])):
        state.read("dev")
    assert engine.call_count == calls
