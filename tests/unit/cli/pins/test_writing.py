from __future__ import annotations

from pathlib import Path

import pytest

from cli.errors import UserError
from cli.pins.proposal import Edit
from cli.pins.writing import write

EDITS = [Edit("a", "old a", "new a"), Edit("folder/b", "old b", "new b"), Edit("c", "old c", "new c")]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    for edit in EDITS:
        (tmp_path / edit.path).write_text(edit.old)
    (tmp_path / "a").chmod(0o755)
    return tmp_path


def content(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_all_are_written_and_nothing_else_is_left(root: Path) -> None:
    write(root, EDITS)
    assert content(root) == {edit.path: edit.new for edit in EDITS}
    assert (root / "a").stat().st_mode & 0o777 == 0o755


def test_what_was_changed_meanwhile_is_kept(root: Path) -> None:
    (root / "c").write_text("mine")
    with pytest.raises(UserError, match="c was changed meanwhile; nothing was written"):
        write(root, EDITS)
    assert content(root) == {"a": "old a", "folder/b": "old b", "c": "mine"}


@pytest.mark.parametrize("moment", [1, 2, 3])
@pytest.mark.parametrize("end", [KeyboardInterrupt, OSError])
def test_whatever_ends_it_half_way_leaves_what_was_there(
    root: Path, monkeypatch: pytest.MonkeyPatch, moment: int, end: type[BaseException]
) -> None:
    replace, calls = Path.replace, []

    def ending(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == moment:
            raise end
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", ending)
    with pytest.raises(end):
        write(root, EDITS)
    assert content(root) == {edit.path: edit.old for edit in EDITS}
