from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from cli import main
from cli.commands import update
from cli.errors import UserError
from cli.pins.proposal import Change, Edit, NoAnswerError, Proposal

if TYPE_CHECKING:
    from typer.testing import Result


def silent() -> Proposal:
    raise NoAnswerError("the host is unknown")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which one source has something newer, one nothing, and one doesn't answer."""
    (tmp_path / "pins").write_text("a 1\n")
    newer = Proposal("newer", (Change("a", "1", "2"),), (Edit("pins", "a 1\n", "a 2\n"),))
    monkeypatch.setattr(update, "ROOT", tmp_path)
    sources = {"newer": lambda: newer, "same": lambda: Proposal("same"), "silent": silent}
    monkeypatch.setattr(update, "SOURCES", sources)
    return tmp_path


def run(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(main.app, ["update", *arguments], input=answer)


def test_what_is_newer_is_shown_and_nothing_is_written(root: Path) -> None:
    done = run()
    assert done.exit_code == 0
    assert "-a 1\n+a 2\n" in done.stdout
    assert "newer: 1 newer" in done.stderr
    assert "same: newest" in done.stderr
    assert "silent: no answer: the host is unknown" in done.stderr
    assert "without --apply" in done.stderr
    assert (root / "pins").read_text() == "a 1\n"


@pytest.mark.parametrize(("arguments", "answer"), [(["--apply"], "y\n"), (["--apply", "--yes"], "")])
def test_what_is_agreed_to_is_written(root: Path, arguments: list[str], answer: str) -> None:
    done = run(*arguments, answer=answer)
    assert done.exit_code == 0
    assert (root / "pins").read_text() == "a 2\n"
    assert "./dashtam test" in done.stderr


@pytest.mark.parametrize(("answer", "status"), [("n\n", 0), ("", 1)])
def test_what_is_not_agreed_to_is_not_written(root: Path, answer: str, status: int) -> None:
    assert run("--apply", answer=answer).exit_code == status
    assert (root / "pins").read_text() == "a 1\n"


def test_a_program_gets_a_document(root: Path) -> None:
    done = run("--json", "--apply", "--yes")
    document = json.loads(done.stdout)
    assert document["applied"] is True
    assert document["sources"] == [
        {
            "source": "newer",
            "failure": None,
            "changes": [{"name": "a", "pinned": "1", "newer": "2"}],
            "files": ["pins"],
        },
        {"source": "same", "failure": None, "changes": [], "files": []},
        {"source": "silent", "failure": "the host is unknown", "changes": [], "files": []},
    ]
    assert (root / "pins").read_text() == "a 2\n"


@pytest.mark.usefixtures("root")
def test_a_document_is_nothing_to_agree_to() -> None:
    done = run("--json", "--apply")
    assert isinstance(done.exception, UserError)
    assert done.exception.exit_status == 2


@pytest.mark.usefixtures("root")
def test_no_answer_at_all_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update, "SOURCES", {"silent": silent})
    assert run().exit_code == 1
    assert json.loads(run("--json").stdout)["applied"] is False
