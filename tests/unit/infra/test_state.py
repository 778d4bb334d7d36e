from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from infra import state

WRITING = Exception("invoke failed: failed to load checkpoint: EOF")
REFUSED = Exception("wrong passphrase")


def _outputs(name: str) -> dict[str, Any]:
    return {"outputs": {"urn::one": {"type": "docker:index/volume:Volume", "outputs": {"name": name}}}}


class Engine:
    """Pulumi's engine with two stacks.

    Attributes:
        failures: What it answers with, one by one, before it answers with a state.
    """

    def __init__(self) -> None:
        self.stacks = {f"organization/dashtam/{name}": _outputs(f"data of {name}") for name in ("dev", "test")}
        self.failures: list[Exception] = []

    def invoke(self, function: str, arguments: dict[str, str]) -> SimpleNamespace:
        assert function == state.READ
        if self.failures:
            raise self.failures.pop(0)
        return SimpleNamespace(value=self.stacks[arguments["stackName"]])


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine()
    monkeypatch.setattr(pulumi.runtime, "invoke", engine.invoke)
    monkeypatch.setattr(pulumi, "get_organization", lambda: "organization")
    monkeypatch.setattr(pulumi, "get_project", lambda: "dashtam")
    monkeypatch.setattr(state, "PAUSE", 0.0)
    return engine


@pytest.mark.parametrize("times", [0, 1, state.TRIES - 1])
def test_a_state_that_is_being_written_is_read_once_it_is(engine: Engine, times: int) -> None:
    engine.failures = [WRITING] * times
    (made,) = state.read("dev").resources
    assert (made.kind, made.name, made.resource) == ("docker:index/volume:Volume", "data of dev", "one")


def test_one_that_can_not_be_read_is_told_at_once(engine: Engine) -> None:
    engine.failures = [REFUSED, WRITING]
    with pytest.raises(Exception, match="wrong passphrase"):
        state.read("dev")
    assert engine.failures == [WRITING]


def test_one_that_is_never_written_to_its_end_is_told(engine: Engine) -> None:
    engine.failures = [WRITING] * (state.TRIES + 1)
    with pytest.raises(Exception, match="failed to load checkpoint"):
        state.read("dev")
    assert engine.failures == [WRITING]
