from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from cli.core.errors import UserError
from cli.environments import handle, targets
from cli.main import app
from cli.operations import restore_backup, snapshot_before_loss
from cli.operations.restore_backup import Restored

RESTORED = Restored("dev", "dev.backup", "dev", 49_200_000, 9.6, 1, 2)


@pytest.fixture
def restoring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mock:
    """A restore into an environment of whose data there can be a snapshot."""
    monkeypatch.chdir(tmp_path)
    Path("dev.backup").touch()
    made = Mock(return_value=RESTORED)
    monkeypatch.setattr(restore_backup, "restore", made)
    monkeypatch.setattr(handle, "of", Mock())
    monkeypatch.setattr(snapshot_before_loss, "has_data", Mock(return_value=True))
    return made


def _run(*arguments: str, file: str = "dev.backup", answer: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(app, ["restore", "dev", file, *arguments], input=answer, catch_exceptions=False)
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("options", "has_data", "consequence"),
    [
        ([], True, "A snapshot of its current data is taken first; what is written after that will be lost."),
        (["--no-snapshot"], True, "Its current data will be lost."),
        ([], False, "Its current data will be lost."),
    ],
)
@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 1)])
def test_the_question_says_what_is_lost(
    restoring: Mock,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    has_data: bool,
    consequence: str,
    answer: str,
    status: int,
) -> None:
    monkeypatch.setattr(snapshot_before_loss, "has_data", Mock(return_value=has_data))
    ended, said = _run(*options, answer=answer)
    assert ended == status
    assert f"Replace dev's database with dev.backup? {consequence}" in said
    assert restoring.called is (status == 0)


def test_a_file_that_is_not_there_is_told_before_the_question(restoring: Mock) -> None:
    Path("dev.backup").unlink()
    with pytest.raises(UserError, match=r"dev\.backup can't be read") as raised:
        _run(answer="y\n")
    assert raised.value.exit_status == 64
    assert not restoring.called


@pytest.mark.parametrize(("options", "snapshot"), [([], True), (["--no-snapshot"], False)])
def test_a_snapshot_is_taken_unless_one_says_otherwise(restoring: Mock, options: list[str], snapshot: bool) -> None:
    assert _run("--yes", *options)[0] == 0
    assert restoring.call_args.kwargs == {"snapshot": snapshot}


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_where_nobody_answers_it_is_refused(restoring: Mock, options: list[str]) -> None:
    with pytest.raises(UserError) as raised:
        _run(*options)
    assert raised.value.remedy == "Add --yes."
    assert not restoring.called


def test_on_a_swarm_there_can_be_no_snapshot_first(restoring: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "is_swarm", lambda _stack: True)
    with pytest.raises(UserError, match="Snapshots don't work for dev") as raised:
        _run("--yes")
    assert "./dashtam restore dev dev.backup --no-snapshot" in raised.value.remedy
    with pytest.raises(UserError) as raised:
        _run("--yes", file="a b")
    assert "./dashtam restore dev 'a b' --no-snapshot" in raised.value.remedy
    assert not restoring.called
    _run("--yes", "--no-snapshot")
    assert restoring.called
