from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from cli.core.errors import UserError
from cli.data import database
from cli.engine.streams import CommandError
from cli.environments import handle
from cli.main import app


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Mock:
    found = Mock(environment="test")
    found.view.execute.return_value = (0, '{"event": "a log line"}\n{"connections": 12}\n')
    monkeypatch.setattr(handle, "of", Mock(return_value=found))
    return found


def _run(*arguments: str, stdin: str | bytes = "") -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["seed", *arguments], input=stdin, catch_exceptions=False)
    return done.exit_code, done.stdout, done.stderr


def test_samples_are_added_by_the_app(there: Mock) -> None:
    assert "12 sample accounts" in _run("test")[2]
    assert there.view.execute.call_args.args[1] == ("python", "-m", "app.run.seed")
    assert json.loads(_run("test", "--json")[1]) == {"environment": "test", "connections": 12}


def test_samples_that_fail_are_told(there: Mock) -> None:
    there.view.execute.return_value = (1, "The samples were not added: no database\n")
    with pytest.raises(UserError, match="nothing was changed") as raised:
        _run("test")
    assert raised.value.cause == "The samples were not added: no database"


@pytest.mark.usefixtures("there")
def test_a_file_is_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    held = Mock()
    monkeypatch.setattr(database, "of", Mock(return_value=held))
    file = tmp_path / "my rows.sql"
    file.write_text("SELECT 1;")
    assert json.loads(_run("test", str(file), "--json")[1]) == {"environment": "test", "file": str(file)}
    held.query.assert_called_once_with("SELECT 1;")
    assert "- was run" in _run("test", "-", stdin="SELECT 2;")[2]
    held.query.assert_called_with("SELECT 2;")
    held.query.side_effect = CommandError(3, "psql: no such table")
    with pytest.raises(UserError, match="failed; all that it did not commit itself was taken back") as raised:
        _run("test", str(file))
    assert f" '{file}'` again" in raised.value.remedy


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize("from_stdin", [True, False])
def test_a_file_is_run_as_it_is_and_must_be_text(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, from_stdin: bool
) -> None:
    held = Mock()
    monkeypatch.setattr(database, "of", Mock(return_value=held))
    file = tmp_path / "rows.sql"

    def seed(content: bytes) -> None:
        file.write_bytes(content)
        _run("test", *(["-"] if from_stdin else [str(file)]), stdin=content)

    seed(b"SELECT 'a\r\nb';")
    held.query.assert_called_once_with("SELECT 'a\r\nb';")
    with pytest.raises(UserError, match="can't be read"):
        seed(b"SELECT '\xff';")


@pytest.mark.usefixtures("there")
def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't be read") as raised:
        _run("test", str(tmp_path / "missing.sql"))
    assert raised.value.exit_status == 64
