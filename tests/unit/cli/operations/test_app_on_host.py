from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

from cli.environments.clone import Clone
from cli.operations import app_on_host
from infra.outputs import StackOutputs
from tests.unit.infra.test_outputs import DOCUMENT

if TYPE_CHECKING:
    from pathlib import Path


def outputs(secret: str) -> StackOutputs:
    document = {"variables": {"DATABASE_HOST": "127.0.0.1"}, "files": {"SECRET_KEY_FILE": secret}}
    return StackOutputs.model_validate({**DOCUMENT, "app_on_host": json.dumps(document)})


def test_the_app_finds_its_files_and_no_one_else_reads_them(tmp_path: Path) -> None:
    clone = Clone("me", tmp_path, tmp_path / "home")
    for secret in ("first", "second"):
        found = app_on_host.variables(clone, outputs(secret))
        file = tmp_path / "home/app/test/secret_key"
        assert found == {"DATABASE_HOST": "127.0.0.1", "SECRET_KEY_FILE": str(file)}
        assert file.read_text() == secret
        assert [one.name for one in file.parent.iterdir()] == [file.name]
        assert [stat.S_IMODE(one.stat().st_mode) for one in (file, file.parent)] == [0o600, 0o700]


def test_the_files_end_with_the_environment(tmp_path: Path) -> None:
    clone = Clone("me", tmp_path, tmp_path / "home")
    app_on_host.variables(clone, outputs("a-secret"))
    for _ in range(2):
        app_on_host.forget(clone, "test")
        assert list((tmp_path / "home/app").iterdir()) == []


def test_nothing_is_written_while_the_app_runs(tmp_path: Path) -> None:
    running = StackOutputs.model_validate({**DOCUMENT, "app_on_host": None})
    assert app_on_host.variables(Clone("me", tmp_path, tmp_path / "home"), running) == {}
    assert list(tmp_path.iterdir()) == []
