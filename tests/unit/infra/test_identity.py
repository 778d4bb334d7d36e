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


def test_each_copy_below_the_top_of_a_repository_has_one_of_its_own(repository: Path) -> None:
    first, second = _copy(repository / "a/dashtam"), _copy(repository / "b/dashtam")
    for root in (repository, first, second):
        identity.write(root, root.parent.name, Path("/home"))
    assert [identity.read(root) for root in (repository, first, second)] == [repository.parent.name, "a", "b"]
    assert identity.marker(first) == repository / ".git/dashtam-clones/a/dashtam" / identity.MARKER
    assert _status(repository).split() == ["??", "a/", "??", "b/"]


def test_a_copy_has_the_one_that_an_earlier_version_gave_all_until_it_gets_its_own(repository: Path) -> None:
    root, former = _copy(repository / "a"), repository / ".git" / identity.MARKER
    former.write_text("0123456789\n/home\n")
    assert (identity.read(root), identity.home(root)) == ("0123456789", "/home")
    identity.write(root, "0123456789", Path("/home"))
    assert identity.read(root) == "0123456789"
    assert not former.exists()


def test_a_copy_does_not_have_the_one_of_the_checkout_that_it_is_in(repository: Path) -> None:
    identity.write(_copy(repository), "0123456789", Path("/home"))
    assert identity.read(_copy(repository / "a")) == ""
    assert identity.read(repository) == "0123456789"


def test_a_renamed_copy_keeps_its_own_whatever_it_leaves_behind(repository: Path) -> None:
    first, second = _copy(repository / "a"), _copy(repository / "b")
    for root in (first, second):
        identity.write(root, root.name, Path("/home"))
    renamed = first.rename(repository / "c")
    first.mkdir()
    assert [identity.read(root) for root in (first, second, renamed)] == ["", "b", "a"]
    identity.write(renamed, "a", Path("/home"))
    assert not identity.marker(first).exists()
    assert identity.read(_copy(repository / "d")) == ""


def test_of_two_that_a_copy_may_be_it_is_none(repository: Path) -> None:
    roots = [_copy(repository / name) for name in ("a", "b")]
    for root in roots:
        identity.write(root, root.name, Path("/home"))
    for root in roots:
        root.rename(root.with_name(f"{root.name}-renamed"))
    assert identity.read(repository / "a-renamed") == ""
    assert identity.candidates(repository / "a-renamed") == [identity.marker(root) for root in roots]


def test_a_copy_in_a_worktree_is_another_than_the_one_in_its_repository(repository: Path, tmp_path: Path) -> None:
    _git(repository, "worktree", "add", "--quiet", str(tmp_path / "tree"))
    roots = [_copy(top / "a") for top in (repository, tmp_path / "tree")]
    for root in roots:
        assert identity.read(root) == ""
        identity.write(root, root.parent.name, Path("/home"))
    _git(repository, "worktree", "move", str(tmp_path / "tree"), str(tmp_path / "moved"))
    assert [identity.read(root) for root in (roots[0], tmp_path / "moved/a")] == ["repository", "tree"]


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


def _copy(root: Path) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / "Pulumi.yaml").touch()
    return root


def _status(root: Path) -> str:
    arguments = ["git", "-C", str(root), "status", "--porcelain"]
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)
