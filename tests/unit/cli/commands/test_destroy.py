from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner, Result

from cli.core.errors import UserError
from cli.main import app
from cli.operations import destroy, session
from cli.operations.take_snapshot import Taken

TAKEN = Taken("test", "one", "/snapshots/test/one", 1, 1.0, 0.0)
DATA = {"postgres_test_data", "redis_test_data"}


def _destroy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, made: Mock, *arguments: str, answer: str = "") -> Result:
    here = Mock()
    here.clone.home = tmp_path
    monkeypatch.setattr(session, "prepare", Mock(return_value=here))
    monkeypatch.setattr(destroy, "Removal", Mock(return_value=made))
    return CliRunner().invoke(app, ["destroy", "test", *arguments], input=answer, catch_exceptions=False)


@pytest.mark.parametrize(
    ("data", "arguments", "answer", "agreed", "snapshot"),
    [
        (DATA, [], "y\n", DATA, True),
        (DATA, ["--yes"], "", None, True),
        (DATA, ["--no-snapshot"], "y\n", DATA, False),
        (DATA, ["--no-snapshot", "--yes"], "", None, False),
        (set(), [], "", set(), True),
        (set(), ["--no-snapshot"], "", set(), False),
    ],
)
def test_what_was_agreed_to_goes(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    data: set[str],
    arguments: list[str],
    answer: str,
    agreed: set[str] | None,
    snapshot: bool,
) -> None:
    made = Mock(stack="test", data=Mock(return_value=data), run=Mock(return_value=None))
    ended = _destroy(monkeypatch, tmp_path, made, *arguments, answer=answer)
    assert ended.exit_code == 0
    made.run.assert_called_once_with(agreed, snapshot=snapshot)
    assert all(name in ended.output for name in (data if answer else ()))


@pytest.mark.parametrize("arguments", [[], ["--no-snapshot"], ["--engine-lost"]])
def test_a_no_comes_before_anything_is_done(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str]
) -> None:
    made = Mock(stack="test", data=Mock(return_value=DATA))
    assert _destroy(monkeypatch, tmp_path, made, *arguments, answer="n\n").exit_code == 1
    made.run.assert_not_called()


@pytest.mark.parametrize("arguments", [[], ["--no-snapshot"], ["--json"], ["--engine-lost"]])
def test_where_nobody_can_answer_nothing_is_done(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str]
) -> None:
    made = Mock(stack="test", data=Mock(return_value=DATA))
    with pytest.raises(UserError) as refused:
        _destroy(monkeypatch, tmp_path, made, *arguments)
    assert refused.value.remedy == "Add --yes."
    made.run.assert_not_called()


@pytest.mark.parametrize(("taken", "said"), [(TAKEN, "one"), (None, None)])
def test_scripts_are_told_of_the_snapshot(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, taken: Taken | None, said: str | None
) -> None:
    made = Mock(stack="test", source="test", data=Mock(return_value=DATA), run=Mock(return_value=taken))
    ended = _destroy(monkeypatch, tmp_path, made, "--yes", "--json")
    [destroyed] = json.loads(ended.stdout)["environments"]
    snapshot = destroyed["snapshot"]
    assert (snapshot and snapshot["name"]) == said


@pytest.mark.parametrize(
    ("source", "taken", "named"),
    [
        ("test", TAKEN, "`./dashtam snapshot restore test one`"),
        ("dev", TAKEN, "`./dashtam up dev --name test`, then `./dashtam snapshot restore test one`"),
        ("dev", None, ""),
    ],
)
def test_the_commands_that_restore_it_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, taken: Taken | None, named: str
) -> None:
    made = Mock(stack="test", source=source, run=Mock(return_value=taken))
    said = " ".join(_destroy(monkeypatch, tmp_path, made, "--yes").stderr.split())
    assert said.endswith(f"test is removed. Restore it with {named}." if named else "test is removed.")


@pytest.mark.parametrize(("answers", "options"), [("y\nn\n", []), ("", ["--json"])])
def test_of_several_none_is_removed_before_all_questions_are_answered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answers: str, options: list[str]
) -> None:
    removals = [Mock(stack=name, data=Mock(return_value=data)) for name, data in (("test", DATA), ("dev", DATA))]
    here = Mock()
    here.clone.home = tmp_path
    monkeypatch.setattr(session, "prepare", Mock(return_value=here))
    monkeypatch.setattr(destroy, "Removal", Mock(side_effect=removals))
    done = CliRunner().invoke(app, ["destroy", "test", "dev", *options], input=answers)
    assert done.exit_code != 0
    assert [one.run.called for one in removals] == [False, False]
