from __future__ import annotations

import json
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from cli.commands import clean
from cli.core.errors import UserError
from cli.main import app
from cli.operations import clean as cleaning
from cli.operations import session
from cli.operations.clean import Leftovers

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
