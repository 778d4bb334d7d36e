from __future__ import annotations

import io
import sys
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli.core.errors import UserError
from cli.data.backups import source
from cli.environments.clone import Clone
from cli.ui.output_files import STREAM


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(root=tmp_path, id="me", home=tmp_path / "home")


def _from_stdin(clone: Clone, content: bytes, held: ExitStack, monkeypatch: pytest.MonkeyPatch) -> source.Source:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    return held.enter_context(source.opened(clone, STREAM))


def test_two_from_standard_input_never_mix(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as held:
        first = _from_stdin(clone, b"of dev", held, monkeypatch)
        second = _from_stdin(clone, b"of test", held, monkeypatch)
        for one, content in ((first, b"of dev"), (second, b"of test")):
            for _ in range(2):
                one.file.seek(0)
                assert one.file.read() == content
        # However the command ends, nothing is left.
        assert list((clone.home / "restoring").iterdir()) == []


def test_a_file_is_called_by_its_name(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "dev.backup").write_bytes(b"content")
    with source.opened(clone, str(tmp_path / "dev.backup")) as found:
        assert (found.name, found.file.read()) == ("dev.backup", b"content")


@pytest.mark.parametrize("name", ["missing", "."])
def test_one_that_can_not_be_opened_is_wrong_usage(clone: Clone, tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="can't be read") as raised, source.opened(clone, str(tmp_path / name)):
        pass
    assert raised.value.exit_status == 64
    assert "dashtam backup" in raised.value.remedy
