from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from infra import identity


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    _git(tmp_path, "init", "--quiet", str(root))
    _git(root, "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--quiet", "--allow-empty", "-m", "first")
    return root


def test_there_is_none_at_first(repository: Path) -> None:
    assert identity.read(repository) == ""


def test_it_is_in_gits_own_folder(repository: Path) -> None:
    assert identity.marker(repository) == repository / ".git" / identity.MARKER


def test_it_is_read_as_it_was_written(repository: Path) -> None:
    identity.marker(repository).write_text("0123456789\n")
    assert identity.read(repository) == "0123456789"


def test_it_comes_with_where_its_state_was_first_kept(repository: Path) -> None:
    assert identity.home(repository) == ""
    identity.write(repository, "0123456789", Path("/data home"))
    assert (identity.read(repository), identity.home(repository)) == ("0123456789", "/data home")


def test_one_from_before_that_was_noted_has_no_home(repository: Path) -> None:
    identity.marker(repository).write_text("0123456789\n")
    assert identity.home(repository) == ""


def test_a_folder_of_a_repository_has_the_repositorys(repository: Path) -> None:
    (repository / "inner").mkdir()
    assert identity.marker(repository / "inner") == identity.marker(repository)


def test_a_worktree_has_one_of_its_own_which_a_move_keeps(repository: Path, tmp_path: Path) -> None:
    _git(repository, "worktree", "add", "--quiet", str(tmp_path / "tree"))
    identity.marker(tmp_path / "tree").write_text("of the tree\n")
    _git(repository, "worktree", "move", str(tmp_path / "tree"), str(tmp_path / "moved"))
    assert (identity.read(tmp_path / "moved"), identity.read(repository)) == ("of the tree", "")


def test_a_submodule_has_the_one_that_git_names(repository: Path) -> None:
    allowed = ("-c", "protocol.file.allow=always")
    _git(repository, *allowed, "submodule", "--quiet", "add", str(repository), "inner")
    assert identity.marker(repository / "inner").resolve() == repository / ".git/modules/inner" / identity.MARKER


def test_no_variable_of_git_leads_to_another(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _git(tmp_path, "init", "--quiet", str(tmp_path / "other"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other/.git"))
    assert identity.marker(repository) == repository / ".git" / identity.MARKER


def test_a_folder_without_git_has_one_too(tmp_path: Path) -> None:
    assert identity.marker(tmp_path) == tmp_path / ".dashtam-clone"


def test_one_from_before_there_was_git_stays(tmp_path: Path) -> None:
    identity.marker(tmp_path).write_text("0123456789\n")
    _git(tmp_path, "init", "--quiet", str(tmp_path))
    assert identity.read(tmp_path) == "0123456789"


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)
