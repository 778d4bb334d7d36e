from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.environments import clone, git_filter
from cli.environments.clone import current
from infra import identity
from infra.config import placement
from tests.unit.cli.conftest import git

pytestmark = pytest.mark.usefixtures("data_home")


def test_a_clone_keeps_its_identity(repository: Path) -> None:
    first = clone.current(repository)
    assert len(first.id) == 10
    assert clone.current(repository) == first
    assert git(repository, "status", "--porcelain") == ""


def test_the_identity_outlives_a_thorough_cleaning(repository: Path) -> None:
    first = clone.current(repository)
    git(repository, "clean", "-dffx")
    assert clone.current(repository).id == first.id


def test_looking_makes_nothing(repository: Path, data_home: Path) -> None:
    assert clone.find(repository) is None
    assert not data_home.exists()
    assert clone.current(repository) == clone.find(repository)


def test_a_moved_clone_is_the_same(repository: Path, tmp_path: Path) -> None:
    first = clone.current(repository)
    moved = repository.rename(tmp_path / "elsewhere")
    second = clone.current(moved)
    assert (second.id, second.home, second.root) == (first.id, first.home, moved)


def test_one_whose_state_is_another_users_says_where_it_is(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_home: Path
) -> None:
    first = clone.current(repository)
    state = first.state_folder / ".pulumi/stacks/dashtam/dev.json"
    state.parent.mkdir(parents=True)
    state.touch()
    monkeypatch.setenv("DASHTAM_DATA_HOME", str(tmp_path / "of another"))
    with pytest.raises(UserError) as refused:
        clone.current(repository)
    assert f"DASHTAM_DATA_HOME={data_home}" in refused.value.remedy
    assert not (tmp_path / "of another").exists()
    monkeypatch.setenv("DASHTAM_DATA_HOME", str(data_home))
    assert clone.current(repository) == first


def test_one_without_environments_may_be_used_with_another_home(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = clone.current(repository)
    monkeypatch.setenv("DASHTAM_DATA_HOME", str(tmp_path / "of another"))
    assert clone.current(repository).id == first.id


def test_a_home_where_it_was_used_before_does_not_hide_its_environments(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_home: Path
) -> None:
    monkeypatch.setenv("DASHTAM_DATA_HOME", str(tmp_path / "of another"))
    clone.current(repository)
    monkeypatch.setenv("DASHTAM_DATA_HOME", str(data_home))
    first = clone.current(repository)
    state = first.state_folder / ".pulumi/stacks/dashtam/dev.json"
    state.parent.mkdir(parents=True)
    state.touch()
    monkeypatch.setenv("DASHTAM_DATA_HOME", str(tmp_path / "of another"))
    with pytest.raises(UserError, match="are kept in"):
        clone.current(repository)
    assert identity.home(repository) == str(data_home)


def test_the_program_finds_what_it_placed(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = clone.current(repository)
    assert placement.record(repository) == first.placements_file
    monkeypatch.setenv("DASHTAM_DATA_HOME", str(tmp_path / "of another"))
    assert placement.record(repository) == first.placements_file
    second = clone.current(repository)
    assert placement.record(repository) == second.placements_file != first.placements_file


def test_the_program_finds_what_a_clone_of_an_earlier_version_placed(repository: Path) -> None:
    first = clone.current(repository)
    identity.marker(repository).write_text(f"{first.id}\n")
    with pytest.raises(ValueError, match=r"Run `\./dashtam env` once"):
        placement.record(repository)
    assert clone.current(repository) == first
    assert placement.record(repository) == first.placements_file


def test_one_whose_home_may_not_be_seen_is_taken_for_kept_there(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_home: Path
) -> None:
    clone.current(repository)
    monkeypatch.setenv("DASHTAM_DATA_HOME", str(tmp_path / "of another"))
    stat_of = Path.stat

    def refuse(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path.is_relative_to(data_home):
            raise PermissionError(13, "Permission denied")
        return stat_of(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(UserError, match="are kept in"):
        clone.current(repository)


def test_one_whose_state_was_removed_or_moved_along_goes_on(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_home: Path
) -> None:
    first = clone.current(repository)
    data_home.rename(tmp_path / "moved along")
    monkeypatch.setenv("DASHTAM_DATA_HOME", str(tmp_path / "moved along"))
    assert clone.current(repository).id == first.id
    shutil.rmtree(tmp_path / "moved along")
    assert clone.current(repository).id == first.id


def test_a_home_that_is_not_on_this_machine_stays_on_record_until_it_is_decided(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_home: Path
) -> None:
    first = clone.current(repository)
    assert clone.unseen_home(first) == ""
    away = data_home.rename(tmp_path / "on another machine")
    monkeypatch.setenv("DASHTAM_DATA_HOME", str(tmp_path / "of a container"))
    for _ in range(2):
        here = clone.current(repository)
        assert (here.id, identity.home(repository), clone.unseen_home(here)) == (
            first.id,
            str(data_home),
            str(data_home),
        )
    identity.write(repository, here.id, tmp_path / "of a container")
    assert clone.unseen_home(here) == ""
    away.rename(data_home)
    monkeypatch.setenv("DASHTAM_DATA_HOME", str(data_home))
    assert clone.current(repository) == first
    assert identity.home(repository) == str(data_home)


def test_one_that_another_user_owns_now_is_the_same(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = clone.current(repository)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "status")
    git_filter.keep_out_of_git(first)
    assert clone.current(repository) == first


def test_a_copied_clone_is_another(repository: Path, tmp_path: Path) -> None:
    first = clone.current(repository)
    copy = Path(shutil.copytree(repository, tmp_path / "copy"))
    second = clone.current(copy)
    assert second.id != first.id
    assert second.passphrase_file.read_text() != first.passphrase_file.read_text()
    assert clone.current(repository) == first
    assert clone.current(copy) == second


def test_a_worktree_is_another(repository: Path, tmp_path: Path) -> None:
    first = clone.current(repository)
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "tree"))
    second = clone.current(tmp_path / "tree")
    assert second.id != first.id
    assert git(tmp_path / "tree", "status", "--porcelain") == ""


def test_a_worktree_whose_repository_was_moved_says_what_to_do(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "tree"))
    first = clone.current(tmp_path / "tree")
    moved = repository.rename(tmp_path / "elsewhere")
    with pytest.raises(UserError) as refused:
        clone.current(tmp_path / "tree")
    assert refused.value.remedy.endswith(f"git worktree repair {tmp_path / 'tree'}")
    git(moved, "worktree", "repair", str(tmp_path / "tree"))
    assert clone.current(tmp_path / "tree") == first


def test_a_worktree_that_was_moved_is_the_same(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "tree"))
    first = clone.current(tmp_path / "tree")
    git(repository, "worktree", "move", str(tmp_path / "tree"), str(tmp_path / "moved"))
    assert clone.current(tmp_path / "moved").id == first.id


@pytest.fixture
def copies(repository: Path) -> tuple[Path, Path]:
    """Two copies of the project in one repository."""
    roots = repository / "a/dashtam", repository / "b/dashtam"
    for root in roots:
        root.mkdir(parents=True)
        (root / "Pulumi.yaml").touch()
    return roots


def test_each_of_two_copies_in_a_repository_keeps_its_identity(copies: tuple[Path, Path]) -> None:
    first, second = copies
    made = [clone.current(root).id for root in (first, first, second, second, first, second, first)]
    assert len(set(made)) == 2
    assert made == [made[i] for i in (0, 0, 2, 2, 0, 2, 0)]


def test_a_copy_keeps_the_identity_that_an_earlier_version_gave_it(copies: tuple[Path, Path]) -> None:
    first, second = copies
    former = clone.current(first)
    identity.marker(first).rename(identity.folder_of_markers(first) / identity.MARKER)
    assert clone.find(second) is None
    another = clone.current(second)
    assert another.id != former.id
    assert clone.current(first) == former
    assert clone.current(second) == another
    assert identity.marker(first).exists()


def test_a_renamed_copy_is_the_same(copies: tuple[Path, Path]) -> None:
    first, second = map(clone.current, copies)
    renamed = copies[0].rename(copies[0].with_name("renamed"))
    assert clone.current(renamed).id == first.id
    assert identity.marker(renamed).exists()
    assert clone.current(second.root) == second
    back = renamed.rename(first.root)
    assert clone.current(back) == first


def test_a_copy_of_a_copy_is_another(copies: tuple[Path, Path]) -> None:
    first, second = map(clone.current, copies)
    third = clone.current(Path(shutil.copytree(first.root, first.root.with_name("third"))))
    assert len({first.id, second.id, third.id}) == 3
    assert clone.current(first.root) == first


def test_copies_in_a_copied_repository_are_others_and_in_a_moved_one_the_same(
    repository: Path, copies: tuple[Path, Path], tmp_path: Path
) -> None:
    made = [clone.current(root) for root in copies]
    copied = Path(shutil.copytree(repository, tmp_path / "copy"))
    others = {clone.current(copied / root.relative_to(repository)).id for root in copies}
    assert len(others | {one.id for one in made}) == 4
    moved = repository.rename(tmp_path / "moved")
    assert [clone.current(moved / root.relative_to(repository)).id for root in copies] == [one.id for one in made]


def test_copies_that_were_renamed_together_are_told_how_to_go_on(copies: tuple[Path, Path]) -> None:
    first, second = map(clone.current, copies)
    one, two = (root.rename(root.with_name("renamed")) for root in copies)
    with pytest.raises(UserError, match="may be one of several") as refused:
        clone.current(one)
    assert str(identity.marker(first.root)) in refused.value.cause
    renamed, fresh = (command.partition(": ")[2] for command in refused.value.remedy.split(". If"))
    subprocess.run(["sh", "-c", fresh], check=True)
    assert clone.current(one).id not in {first.id, second.id}
    subprocess.run(["sh", "-c", renamed.replace("FILE", str(identity.marker(first.root)))], check=True)
    assert (clone.current(one).id, clone.current(two).id) == (first.id, second.id)


def test_a_folder_without_git_has_an_identity_too(tmp_path: Path) -> None:
    root = tmp_path / "unpacked"
    root.mkdir()
    first = clone.current(root)
    assert (root / ".dashtam-clone").exists()
    assert clone.current(root) == first


def test_state_and_passphrase_are_private_and_outside(repository: Path) -> None:
    made = clone.current(repository)
    assert not made.home.is_relative_to(repository)
    assert stat.S_IMODE(made.passphrase_file.stat().st_mode) == 0o600
    assert len(made.passphrase_file.read_text()) >= 43
    assert made.backend_url == (made.home / "state").as_uri()


def test_many_that_are_the_first_at_once_agree_on_an_identity(repository: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(lambda _: clone.current(repository), range(64)))
    assert made == {clone.find(repository)}


def test_many_at_once_agree(repository: Path) -> None:
    clone.current(repository)
    passphrase = clone.current(repository).passphrase_file
    passphrase.unlink()
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: clone.current(repository).passphrase_file.read_text(), range(64)))
    assert set(made) == {passphrase.read_text()}
    assert [path.name for path in passphrase.parent.glob("passphrase*")] == ["passphrase"]


def test_a_passphrase_that_is_lost_is_not_made_anew(repository: Path, data_home: Path) -> None:
    clone = current(repository)
    stack = clone.home / "state/.pulumi/stacks/dashtam/dev.json"
    stack.parent.mkdir(parents=True)
    stack.touch()
    clone.passphrase_file.unlink()
    assert current(repository).has_lost_passphrase
    assert not clone.passphrase_file.exists()
    assert data_home in clone.passphrase_file.parents


def test_other_clones_are_those_that_are_still_there_and_placed_something(repository: Path, tmp_path: Path) -> None:
    here = current(repository)
    roots = [tmp_path / name for name in ("first", "second", "third")]
    for root in roots:
        root.mkdir()
    first, second, third = (current(root) for root in roots)
    for one in (here, first, third):
        one.placements_file.write_text("{}")
    shutil.rmtree(third.root)
    assert list(clone.others(here)) == [first]
    assert list(clone.others(second)) == sorted([here, first], key=lambda one: one.id)


def test_one_that_is_gone_is_known_by_its_id_and_no_other(repository: Path, tmp_path: Path) -> None:
    here = current(repository)
    with pytest.raises(UserError, match="No clone 0123456789 is known here"):
        clone.gone("0123456789")
    with pytest.raises(UserError, match="is still there") as refused:
        clone.gone(here.id)
    assert refused.value.remedy == f"(cd {repository} && ./dashtam clean)"
    repository.rename(tmp_path / "deleted")
    assert clone.gone(here.id) == here
    repository.mkdir()
    assert clone.current(repository).id != here.id
    assert clone.gone(here.id) == here, "another clone has its folder now"


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOTCONN, errno.ESTALE])
def test_another_clone_that_cannot_be_reached_is_still_there(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    (tmp_path / "another").mkdir()
    here, another = clone.current(repository), clone.current(tmp_path / "another")
    another.placements_file.touch()
    exists = Path.exists

    def unreachable(path: Path) -> bool:
        if path.is_relative_to(another.root):
            raise OSError(number, os.strerror(number), str(path))
        return exists(path)

    monkeypatch.setattr(Path, "exists", unreachable)
    assert list(clone.others(here)) == [another]
