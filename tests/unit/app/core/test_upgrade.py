from __future__ import annotations

import shutil
from pathlib import Path
from unittest.mock import Mock

import pytest

from app.core import revision, upgrade
from app.core.errors import MigrationError


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the folder of a copy of the migrations, which is used instead of them."""
    copy = tmp_path / "50% of #1?&'ü %(here)s" / "migrations"
    shutil.copytree(revision.MIGRATIONS, copy)
    for module in (revision, upgrade):
        monkeypatch.setattr(module, "MIGRATIONS", copy)
    return copy / "versions"


@pytest.mark.parametrize(
    ("name", "own", "before", "by_file", "by_content"),
    [
        ("9999aaaaaa_forgot_its_down_revision.py", "9999aaaaaa", "0003", "9999aaaaaa", "0004 and 9999aaaaaa"),
        ("9999aaaaaa_forgot_its_revision.py", "0005aaaaaa", "0004", "9999aaaaaa", "0005aaaaaa"),
    ],
)
def test_files_that_make_no_line_are_named_before_anything_is_migrated(
    versions: Path, name: str, own: str, before: str, by_file: str, by_content: str
) -> None:
    (versions / name).write_text(f"revision, down_revision = {own!r}, {before!r}\n")
    connection = Mock()
    with pytest.raises(MigrationError) as raised:
        upgrade.upgrade(connection)
    assert f"is {by_file} by the names of the files in {versions}, and {by_content} by their" in str(raised.value)
    assert not connection.mock_calls
