from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from unittest.mock import Mock

import pulumi
import pytest

from infra import engine
from infra.naming import Naming
from infra.targets.engine import EngineTarget

if TYPE_CHECKING:
    from infra.config.settings import StackSettings
    from tests.unit.infra.conftest import Load


class Undeclared(EngineTarget):
    """An engine of which nothing is declared."""

    def __init__(self, settings: StackSettings) -> None:
        self.settings = settings
        self.naming = Naming("test", "0123456789", "test")


@pytest.mark.parametrize("problem", ["", "no such cgroup"])
@pytest.mark.parametrize("connects", [True, False])
def test_what_cant_be_limited_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, load: Load, problem: str, connects: bool
) -> None:
    refused = engine.EngineError("No Docker engine answers.")
    client: Any = Mock(**({"return_value": Mock()} if connects else {"side_effect": refused}))
    monkeypatch.setattr(engine, "connect", client)
    monkeypatch.setattr(engine, "limit_processes", lambda *_: problem)
    monkeypatch.setattr(pulumi.log, "warn", warn := Mock())
    Undeclared(load({}))._limit_processes("app", "id")
    shown = problem if connects else str(refused)
    expected = [f"The number of processes of app can't be limited: {shown}"] if shown else []
    assert [cast("Any", call).args[0] for call in warn.call_args_list] == expected
