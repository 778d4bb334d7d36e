from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from cli.core.errors import UserError
from cli.engine.container import ContainerView
from cli.environments import handle, targets
from cli.environments.clone import Clone
from cli.main import app
from tests.unit.cli.conftest import MakeContainer

DONE = {"key": "k7", "connections": 3, "retired": 1, "unreadable": 0}


class FakeView:
    """An engine with one environment."""

    answer = (0, json.dumps(DONE))
    found: list[ContainerView]
    asked: list[tuple[str, object]]

    def __init__(self, _client: object) -> None: ...

    def containers(self, stack: str, owner: str) -> list[ContainerView]:
        assert (stack, owner) == ("test", "me")
        return self.found

    def reaches(self, container: ContainerView) -> bool:
        return container in self.found

    def execute(self, container: str, command: object) -> tuple[int, str]:
        self.asked.append((container, command))
        return self.answer


@pytest.fixture
def view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, container: MakeContainer) -> type[FakeView]:
    view = type("View", (FakeView,), {"found": [container()], "asked": []})
    monkeypatch.setattr(targets, "view", view)
    monkeypatch.setattr(handle, "connect", Mock())
    monkeypatch.setattr("cli.environments.clone.current", lambda: Clone("me", tmp_path, tmp_path / "home"))
    return view


def test_keys_are_rotated_inside_the_app(view: type[FakeView]) -> None:
    view.answer = (0, f'{{"event": "a log line"}}\n{json.dumps(DONE)}\n')
    done = CliRunner().invoke(app, ["keys", "rotate", "test"], catch_exceptions=False)
    assert done.exit_code == 0
    assert view.asked == [("id-app", ("python", "-m", "app.run.rotate"))]
    assert done.stdout == ""
    assert "3 connections" in done.stderr
    assert "k7" in done.stderr


@pytest.mark.parametrize(("unreadable", "told"), [(0, False), (2, True)])
def test_what_cannot_be_read_is_told(view: type[FakeView], *, unreadable: int, told: bool) -> None:
    view.answer = (0, json.dumps({**DONE, "unreadable": unreadable}))
    done = CliRunner().invoke(app, ["keys", "rotate", "test"], catch_exceptions=False)
    assert ("2 connections can't be read" in " ".join(done.output.split())) is told


@pytest.mark.usefixtures("view")
def test_scripts_get_json() -> None:
    done = CliRunner().invoke(app, ["keys", "rotate", "test", "--json"], catch_exceptions=False)
    assert json.loads(done.output) == {"environment": "test", **DONE}


def test_a_failure_is_told(view: type[FakeView]) -> None:
    view.answer = (1, "The keys were not rotated: there is no data key k1\n")
    with pytest.raises(UserError, match="test were not rotated") as raised:
        CliRunner().invoke(app, ["keys", "rotate", "test"], catch_exceptions=False)
    assert raised.value.cause == "The keys were not rotated: there is no data key k1"


@pytest.mark.parametrize("changes", [{"component": "redis"}, {"state": "exited"}])
def test_an_app_that_does_not_run_is_told(
    view: type[FakeView], container: MakeContainer, changes: dict[str, str]
) -> None:
    view.found = [container(**changes)]
    with pytest.raises(UserError, match=r"is not (up|running)") as raised:
        CliRunner().invoke(app, ["keys", "rotate", "test"], catch_exceptions=False)
    assert "./dashtam up test" in raised.value.remedy
