from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reference import __main__ as command
from reference import files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("path", files.FILES)
def test_a_file_that_follows_from_the_code_is_fresh(path: str) -> None:
    assert (files.ROOT / path).read_text() == files.FILES[path](), "run: .venv/bin/python -m reference"


def test_what_is_stale_is_told_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(files, "FILES", {"a/b": lambda: "new\n", "c": lambda: "same\n"})
    (tmp_path / "c").write_text("same\n")
    assert files.stale(tmp_path) == ["a/b"]
    assert files.write(tmp_path) == ["a/b"]
    assert (tmp_path / "a/b").read_text() == "new\n"
    assert files.stale(tmp_path) == files.write(tmp_path) == []
    assert command.main(["--check"]) == 1
    assert "a/b is stale" in capsys.readouterr().err


def test_nothing_is_said_where_all_is_fresh(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(files, "FILES", {"LICENSE": (files.ROOT / "LICENSE").read_text})
    assert command.main(["--check"]) == 0
    assert command.main([]) == 0
    assert capsys.readouterr() == ("", "")
