from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from cli.commands.up import app
from cli.core.errors import UserError
from cli.operations import hooks, session
from tests.unit.cli.operations.test_up_report import outputs_of

if TYPE_CHECKING:
    from infra.outputs import StackOutputs


@pytest.mark.parametrize("environments", [["dev", "test"], ["dev", "dev"]])
def test_a_name_goes_with_one_environment(environments: list[str]) -> None:
    done = CliRunner().invoke(app, [*environments, "--name", "feature-x"])
    assert isinstance(done.exception, UserError)
    assert done.exception.exit_status == 64


@pytest.mark.parametrize("fails", [False, True])
def test_the_command_of_each_environment_runs_once_all_are_healthy(
    monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    done: list[str] = []

    def bring_up(_: object, *environments: str, **__: object) -> list[StackOutputs]:
        done.append(f"{' and '.join(environments)} up")
        if fails:
            raise UserError("dev did not become healthy.")
        return [outputs_of(published=True)]

    monkeypatch.setattr(session, "prepare", Mock(engine=Mock()))
    monkeypatch.setattr("cli.commands.up.environments_and_services", lambda words: (words, []))
    monkeypatch.setattr("cli.commands.up.bring_up", bring_up)
    monkeypatch.setattr(hooks, "run_healthy", lambda _, environment: done.append(f"command of {environment}"))
    ended = CliRunner().invoke(app, ["dev", "test"])
    assert isinstance(ended.exception, UserError) is fails
    assert done == ["dev and test up", *([] if fails else ["command of dev", "command of test"])]
