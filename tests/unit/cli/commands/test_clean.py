from __future__ import annotations

import json
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from cli.commands import clean
from cli.core.errors import UserError
from cli.environments import clone, tool_environment
from cli.environments.clone import Clone
from cli.main import app
from cli.operations import clean as cleaning
from cli.operations import session
from cli.operations.clean import Leftovers
from cli.operations.session import Session

if TYPE_CHECKING:
    from pathlib import Path

FOUND = Leftovers([], {"1": "asked"}, [], [], [])
REMOVED = Leftovers([], {"1": "removed"}, [], [], [])


@pytest.fixture
def remove(monkeypatch: pytest.MonkeyPatch) -> Mock:
    made = Mock(return_value=REMOVED)
    monkeypatch.setattr(session, "prepare", Mock())
    monkeypatch.setattr(clean, "connect", Mock())
    monkeypatch.setattr(cleaning, "find", Mock(return_value=FOUND))
    monkeypatch.setattr(cleaning, "remove", made)
    return made


@pytest.mark.parametrize(("option", "networks", "removed"), [("--dry-run", "asked", False), ("--yes", "removed", True)])
def test_scripts_are_told_what_was_done(remove: Mock, option: str, networks: str, removed: bool) -> None:
    done = CliRunner().invoke(app, ["clean", option, "--json"], catch_exceptions=False)
    said = json.loads(done.stdout)
    assert (said["networks"], said["removed"]) == ([networks], [networks] if removed else [])
    assert remove.called is removed


def test_scripts_are_not_told_of_a_removal_that_failed(remove: Mock) -> None:
    remove.side_effect = UserError("in the way")
    done = CliRunner().invoke(app, ["clean", "--yes", "--json"])
    assert done.exit_code != 0
    assert done.stdout == ""


def test_a_clone_that_is_gone_is_cleaned_with_its_own_state_and_passphrase(
    monkeypatch: pytest.MonkeyPatch, remove: Mock, tmp_path: Path
) -> None:
    here, gone = (Clone(name, tmp_path / name, tmp_path / "clones" / name) for name in ("here", "gone"))
    environ = tool_environment.of(here, {})
    monkeypatch.setattr(session, "prepare", Mock(return_value=Session(here, environ, None)))
    monkeypatch.setattr(clone, "gone", {gone.id: gone}.__getitem__)
    CliRunner().invoke(app, ["clean", "--clone", gone.id, "--yes"], catch_exceptions=False)
    _, pulumi, whose, agreed = remove.call_args.args
    assert (whose, agreed) == (gone, FOUND)
    assert pulumi.root == here.root
    assert pulumi.environ == tool_environment.of(gone, {})
