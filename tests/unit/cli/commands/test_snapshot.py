from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from cli.core.errors import UserError
from cli.core.paths import ROOT
from cli.data.snapshots import manifest
from cli.data.snapshots.manifest import Manifest, Piece
from cli.data.snapshots.store import Store
from cli.environments import handle
from cli.environments.clone import Clone
from cli.main import app
from cli.operations import restore_snapshot, session, snapshot_before_loss, take_snapshot
from cli.operations.restore_snapshot import Restored
from cli.operations.take_snapshot import Taken

TAKEN = Taken("test", "one", "/snapshots/test/one", 49_200_000, 2.94, 0.71)
RESTORED = Restored("test", "one", 49_200_000, 9.6, 6.1, 1, 2)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    kept = Store(tmp_path / "snapshots" / "test")
    monkeypatch.setattr("cli.environments.clone.current", lambda: Clone("me", ROOT, tmp_path))
    monkeypatch.setattr(handle, "connect", Mock())
    monkeypatch.setattr(session, "prepare", Mock())
    return kept


def write(kept: Store, name: str) -> Store:
    """Have a snapshot."""
    folder = kept.folder / name
    folder.mkdir(parents=True)
    pieces = {"postgres.tar": Piece(size=49_200_000, sha256="")}
    created = datetime(2026, 5, 2, 10, tzinfo=UTC)
    made = Manifest(
        environment="test", name=name, created=created, postgres="17", database="d", user="u", images={}, pieces=pieces
    )
    for file, content in manifest.files(made):
        (folder / file).write_bytes(content)
    return kept


@pytest.fixture
def removed(kept: Store) -> Store:
    """The snapshots of an environment that has no config any more."""
    return write(Store(kept.folder.with_name("moon")), "one")


def _run(*arguments: str, answer: str = "") -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["snapshot", *arguments], input=answer, catch_exceptions=False)
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.usefixtures("kept")
def test_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    taking = Mock(return_value=TAKEN)
    monkeypatch.setattr(take_snapshot, "take", taking)
    status, printed, said = _run("create", "test", "one")
    assert (status, printed) == (0, "")
    assert "49.2 MB" in said
    assert "/snapshots/test/one" in said
    environment, name = taking.call_args.args
    assert (environment.name, name) == ("test", "one")
    assert json.loads(_run("create", "test", "--json")[1])["paused_seconds"] == 0.71
    assert taking.call_args.args[1] is None


@pytest.mark.parametrize("command", [["create"], ["list"], ["restore", "one"], ["delete", "one"]])
def test_another_environment_is_refused(command: list[str]) -> None:
    with pytest.raises(UserError, match="no environment 'moon'") as raised:
        _run(command[0], "moon", *command[1:])
    assert raised.value.exit_status == 64


def test_snapshots_of_a_removed_environment_are_listed_and_deleted(removed: Store) -> None:
    [row] = json.loads(_run("list", "moon", "--json")[1])["snapshots"]
    assert row["name"] == "one"
    assert _run("delete", "moon", "one", "--yes")[0] == 0
    assert removed.names() == []
    with pytest.raises(UserError, match="no environment 'moon'"):
        _run("list", "moon")


def test_without_an_environment_those_of_all_are_listed(kept: Store, removed: Store) -> None:
    write(kept, "two")
    kept.folder.with_name("notes.txt").touch()
    _, said, _ = _run("list")
    assert [line.split()[:2] for line in said.splitlines()] == [
        ["environment", "snapshot"],
        ["moon", "one"],
        ["test", "two"],
    ]
    found = json.loads(_run("list", "--json")[1])["environments"]
    assert [(one["environment"], [each["name"] for each in one["snapshots"]]) for one in found] == [
        ("moon", ["one"]),
        ("test", ["two"]),
    ]
    removed.delete("one")
    kept.delete("two")
    assert "This clone has no snapshots." in _run("list")[2]
    assert json.loads(_run("list", "--json")[1]) == {"environments": []}


@pytest.mark.usefixtures("removed")
def test_a_restore_into_a_removed_environment_names_the_commands_that_make_it_again() -> None:
    with pytest.raises(UserError, match="moon was removed with its config") as raised:
        _run("restore", "moon", "one", "--yes")
    assert "`./dashtam up dev --name moon`" in raised.value.remedy
    assert "`./dashtam snapshot restore moon one`" in raised.value.remedy


def test_none_and_damaged_ones_are_listed(kept: Store) -> None:
    assert json.loads(_run("list", "test", "--json")[1]) == {"environment": "test", "snapshots": []}
    assert "no snapshots" in _run("list", "test")[2]
    (kept.folder / "broken").mkdir(parents=True)
    [row] = json.loads(_run("list", "test", "--json")[1])["snapshots"]
    assert row["name"] == "broken"
    assert "manifest.json" in row["damage"]
    assert "damaged" in _run("list", "test")[1]


@pytest.mark.parametrize("command", ["restore", "delete"])
@pytest.mark.usefixtures("kept")
def test_one_that_is_not_there_is_refused(command: str) -> None:
    with pytest.raises(UserError, match="no snapshot 'one'"):
        _run(command, "test", "one")


@pytest.fixture
def restoring(kept: Store, monkeypatch: pytest.MonkeyPatch) -> Mock:
    """A restore of the snapshot `one` into an environment that has data."""
    made = Mock(return_value=RESTORED)
    monkeypatch.setattr(restore_snapshot, "restore", made)
    monkeypatch.setattr(snapshot_before_loss, "has_data", Mock(return_value=True))
    write(kept, "one")
    return made


@pytest.mark.parametrize(("answer", "restored"), [("y\n", True), ("n\n", False)])
def test_a_restore_asks(restoring: Mock, answer: str, restored: bool) -> None:
    status, _, warned = _run("restore", "test", "one", answer=answer)
    assert status == (0 if restored else 1)
    assert restoring.called is restored
    assert "Replace test's data with the snapshot one of 2026-05-02T10:00:00+00:00?" in warned
    assert "A snapshot of its current data is taken first; what is written after that will be lost." in warned
    assert ("one is restored" in warned) is restored
    assert ("2 linked accounts" in warned) is restored


def test_without_a_snapshot_the_question_says_that_data_is_lost(restoring: Mock) -> None:
    status, _, asked = _run("restore", "test", "one", "--no-snapshot", answer="y\n")
    assert status == 0
    assert "Its current data will be lost." in asked
    assert restoring.call_args.kwargs == {"snapshot": False}


def test_where_there_is_no_data_nothing_is_asked(restoring: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_before_loss, "has_data", Mock(return_value=False))
    status, _, asked = _run("restore", "test", "one")
    assert status == 0
    assert "Replace" not in asked
    assert restoring.call_args.kwargs == {"snapshot": True}


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize("command", ["restore", "delete"])
def test_where_nobody_answers_it_is_refused(restoring: Mock, kept: Store, command: str, options: list[str]) -> None:
    with pytest.raises(UserError) as raised:
        _run(command, "test", "one", *options)
    assert raised.value.exit_status == (64 if options else 1)
    assert raised.value.remedy == "Add --yes."
    assert not restoring.called
    assert kept.names() == ["one"]


@pytest.mark.usefixtures("restoring")
def test_a_restore_tells_scripts() -> None:
    assert json.loads(_run("restore", "test", "one", "--yes", "--json")[1])["rewrapped"] == 1


@pytest.mark.parametrize(("answer", "left"), [("y\n", []), ("n\n", ["one"])])
def test_a_deletion_asks(kept: Store, answer: str, left: list[str]) -> None:
    write(kept, "one")
    status, _, asked = _run("delete", "test", "one", answer=answer)
    assert status == len(left)
    assert "Delete test's snapshot one of 2026-05-02T10:00:00+00:00 (49.2 MB) for good?" in asked
    assert kept.names() == left


def test_a_damaged_one_is_deleted(kept: Store) -> None:
    (kept.folder / "one").mkdir(parents=True)
    assert "one, which is damaged, for good?" in _run("delete", "test", "one", answer="n\n")[2]
    done = json.loads(_run("delete", "test", "one", "--yes", "--json")[1])
    assert done == {"environment": "test", "removed": ["one"]}
    assert kept.names() == []
