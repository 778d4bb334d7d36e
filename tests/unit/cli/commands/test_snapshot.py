from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from cli import session
from cli.commands import snapshot
from cli.errors import UserError
from cli.main import app
from cli.snapshots import create, restore
from cli.snapshots.create import Taken
from cli.snapshots.restore import Restored
from cli.snapshots.store import Store

TAKEN = Taken("test", "one", "/snapshots/test/one", 49_200_000, 2.94, 0.71)
RESTORED = Restored("test", "one", 49_200_000, 9.6, 6.1, 1, 2)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    kept = Store(tmp_path / "snapshots" / "test")
    monkeypatch.setattr("cli.clone.current", lambda: Mock(home=tmp_path))
    monkeypatch.setattr(snapshot, "connect", Mock())
    monkeypatch.setattr(session, "prepare", Mock())
    return kept


def _run(*arguments: str, answer: str = "") -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["snapshot", *arguments], input=answer, catch_exceptions=False)
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.usefixtures("kept")
def test_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    taking = Mock(return_value=TAKEN)
    monkeypatch.setattr(create, "create", taking)
    status, said, _ = _run("create", "test", "one")
    assert status == 0
    assert "49.2 MB" in said
    assert "/snapshots/test/one" in said
    assert taking.call_args.args[2:] == ("test", "one")
    assert json.loads(_run("create", "test", "--json")[1])["paused_seconds"] == 0.71
    assert taking.call_args.args[2:] == ("test", None)


@pytest.mark.parametrize("command", [["create"], ["list"], ["restore", "one"], ["delete", "one"]])
def test_another_environment_is_refused(command: list[str]) -> None:
    with pytest.raises(UserError, match="no environment 'moon'") as raised:
        _run(command[0], "moon", *command[1:])
    assert raised.value.exit_status == 2


def test_none_and_damaged_ones_are_listed(kept: Store) -> None:
    assert json.loads(_run("list", "test", "--json")[1]) == []
    assert "no snapshots" in _run("list", "test")[2]
    (kept.folder / "broken").mkdir(parents=True)
    [row] = json.loads(_run("list", "test", "--json")[1])
    assert row["name"] == "broken"
    assert "manifest.json" in row["damage"]
    assert "damaged" in _run("list", "test")[1]


@pytest.mark.parametrize("command", ["restore", "delete"])
@pytest.mark.usefixtures("kept")
def test_one_that_is_not_there_is_refused(command: str) -> None:
    with pytest.raises(UserError, match="no snapshot 'one'"):
        _run(command, "test", "one")


@pytest.mark.parametrize(("answer", "restored"), [("y\n", True), ("n\n", False), ("", False)])
@pytest.mark.usefixtures("kept")
def test_a_restore_asks(monkeypatch: pytest.MonkeyPatch, answer: str, restored: bool) -> None:
    restoring = Mock(return_value=RESTORED)
    monkeypatch.setattr(restore, "restore", restoring)
    monkeypatch.setattr(Store, "read", Mock())
    status, said, warned = _run("restore", "test", "one", answer=answer)
    assert status == (0 if restored else 1)
    assert restoring.called is restored
    assert ("one is back" in said) is restored
    assert ("2 linked accounts" in warned) is restored


@pytest.mark.usefixtures("kept")
def test_a_restore_tells_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "restore", Mock(return_value=RESTORED))
    monkeypatch.setattr(Store, "read", Mock())
    assert json.loads(_run("restore", "test", "one", "--yes", "--json")[1])["rewrapped"] == 1


def test_one_is_deleted(kept: Store) -> None:
    (kept.folder / "one").mkdir(parents=True)
    assert json.loads(_run("delete", "test", "one", "--json")[1]) == {"environment": "test", "name": "one"}
    assert kept.names() == []
