from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from cli.core import atomic_files
from cli.core.atomic_files import PRIVATE, create_private, private_folder, replacing, scratch_folder, write_whole
from cli.core.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def mask() -> object:
    before = os.umask(0o027)
    yield
    os.umask(before)


@pytest.mark.usefixtures("mask")
def test_a_text_is_written_with_its_folder_and_the_usual_mode(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    write_whole(path, "one")
    assert (path.read_text(), _mode(path)) == ("one", 0o640)
    path.chmod(0o600)
    write_whole(path, "two")
    assert (path.read_text(), _mode(path)) == ("two", 0o600)
    assert [one.name for one in path.parent.iterdir()] == ["b"]


@pytest.mark.usefixtures("mask")
def test_a_private_file(tmp_path: Path) -> None:
    with replacing(tmp_path / "key", PRIVATE) as file:
        file.write(b"secret")
    assert _mode(tmp_path / "key") == 0o600


def test_what_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    with pytest.raises(TypeError), replacing(path) as file:
        file.writelines([b"half", "no bytes"])  # type: ignore[list-item]
    assert path.read_text() == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_a_new_private_file_replaces_nothing(tmp_path: Path) -> None:
    with create_private(tmp_path / "new") as file:
        file.write(b"x")
    assert _mode(tmp_path / "new") == 0o600
    with pytest.raises(FileExistsError):
        create_private(tmp_path / "new")


def test_a_private_folder_and_those_above_it(tmp_path: Path) -> None:
    assert private_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert [_mode(tmp_path / "a"), _mode(tmp_path / "a" / "b")] == [0o700, 0o700]


def test_a_scratch_folder_ends_and_so_does_that_of_a_killed_run(tmp_path: Path) -> None:
    (tmp_path / ".part-left").mkdir()
    with scratch_folder(tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_has_its_remedy(tmp_path: Path, number: int) -> None:
    with (
        pytest.raises(UserError, match="no room left for a snapshot") as raised,
        atomic_files.explain_full_disk(tmp_path, "a snapshot"),
    ):
        raise OSError(number, os.strerror(number))
    assert str(tmp_path) in raised.value.cause
    with pytest.raises(PermissionError), atomic_files.explain_full_disk(tmp_path, "a snapshot"):
        raise PermissionError
