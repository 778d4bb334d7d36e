from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.core import atomic_files
from cli.core.errors import UserError
from cli.data.snapshots import manifest, store
from cli.data.snapshots.manifest import Manifest
from cli.data.snapshots.store import Store


@pytest.fixture
def kept(tmp_path: Path) -> Store:
    return Store(tmp_path / "clone" / "snapshots" / "dev")


def _add(kept: Store, name: str) -> Path:
    made = Manifest(
        environment="dev",
        name=name,
        created=datetime.now(UTC),
        postgres="17",
        database="dashtam",
        user="dashtam_user",
        images={},
        pieces={},
    )
    with kept.draft(name) as draft:
        for file, content in manifest.files(made):
            with atomic_files.create_private(draft / file) as opened:
                opened.write(content)
    return kept.path(name)


def test_a_snapshot_has_its_name_once_it_is_complete(kept: Store) -> None:
    path = _add(kept, "one")
    assert kept.names() == ["one"]
    assert kept.read("one").name == "one"
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in path.iterdir()} == {0o600}
    assert [one.name for one in kept.folder.iterdir()] == ["one"]


def test_one_that_was_not_completed_leaves_nothing(kept: Store) -> None:
    def fail() -> None:
        with kept.draft("one") as draft:
            (draft / "half").touch()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(kept.folder.iterdir()) == []


def test_what_a_killed_command_left_is_no_snapshot_and_goes(kept: Store) -> None:
    _add(kept, "one")
    for left in (".draft-12345678", ".gone-12345678"):
        (kept.folder / left).mkdir()
        (kept.folder / left / "half").touch()
    assert kept.names() == ["one"]
    kept.sweep()
    assert [one.name for one in kept.folder.iterdir()] == ["one"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../dev", ".hidden", "-x", "a b", "x" * 65, "a.", "ä", "a\n"])
def test_a_name_that_is_no_folders_name_is_refused(kept: Store, name: str) -> None:
    for refuses in (kept.fresh_name, kept.read, kept.delete):
        with pytest.raises(UserError) as raised:
            refuses(name)
        assert raised.value.exit_status == 64


def test_a_name_that_is_taken_is_refused(kept: Store) -> None:
    _add(kept, "one")
    with pytest.raises(UserError, match="already") as raised:
        kept.fresh_name("one")
    assert "delete dev one" in raised.value.remedy


def test_names_from_the_time_never_meet(kept: Store) -> None:
    names = []
    for _ in range(5):
        names.append(kept.fresh_name(None))
        _add(kept, names[-1])
    assert len(set(names)) == 5


def test_one_that_is_not_there_is_told_with_those_that_are(kept: Store) -> None:
    _add(kept, "one")
    with pytest.raises(UserError, match="no snapshot 'two'") as raised:
        kept.read("two")
    assert raised.value.cause == "There are: one."


def test_one_is_deleted_even_if_it_is_damaged(kept: Store) -> None:
    path = _add(kept, "one")
    (path / manifest.FILE).write_text("{")
    kept.delete("one")
    assert kept.names() == []


def test_no_room_is_told_before_anything_is_written(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": store.RESERVE + 9}))
    kept.require_space(9)
    with pytest.raises(UserError, match="not enough room"):
        kept.require_space(10)


def test_a_disk_that_fills_up_meanwhile_is_told_and_nothing_is_left(kept: Store) -> None:
    def fail() -> None:
        with kept.draft("one") as draft, Path("/dev/full").open("wb") as file:
            (draft / "half").touch()
            file.write(b"content")

    with pytest.raises(UserError, match="no room left for a snapshot; nothing was changed") as raised:
        fail()
    assert str(kept.folder) in raised.value.cause
    assert raised.value.remedy
    assert list(kept.folder.iterdir()) == []
