"""The switch's own script, killed at every one of its steps."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.data.snapshots.volume_swap import DISCARD, STAGED, STAGING, SWAP

OLD = {"PG_VERSION": "17", "base/1": "old", "only-old": "old", ".hidden": "old"}
NEW = {"PG_VERSION": "17", "base/1": "new", "only-new": "new", ".concealed": "new"}

ODD = {"-x": "foreign", "two\nlines": "foreign", "ends\n": "foreign", " *": "foreign", "a.c": "foreign"}
"""Files that somebody else put into a volume, with names that a shell or `grep` may misread."""

OLD_CACHE = {"appendonlydir/1.aof": "old", "old.rdb": "old"}
NEW_CACHE = {"appendonlydir/1.aof": "new", "new.rdb": "new"}
IN_BETWEEN = "temp.rdb"

STEPS = ("mv", "sync", "mktemp", "find", "ls", "rmdir", "rm")

SHIM = """#!/bin/sh
# Counts the steps; at the one that is asked for, does half of it where there are halves, and kills the whole script.
read -r count < "$COUNT"
count=$((count + 1))
echo "$count" > "$COUNT"
if [ "$count" = "$KILL_AT" ]; then
    if [ "{name}" = mv ]; then for last; do :; done; [ "$1" = -- ] && shift; {real} -- "$1" "$last"; fi
    kill -9 0
fi
exec {real} "$@"
"""


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    return _staged(tmp_path / "volume", OLD, NEW)


def _staged(made: Path, old: dict[str, str], new: dict[str, str]) -> Path:
    for folder, content in ((made, old), (made / STAGED, new)):
        for name, text in content.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
    return made


@pytest.fixture
def shims(tmp_path: Path) -> Path:
    folder = tmp_path / "shims"
    folder.mkdir()
    for name in STEPS:
        path = folder / name
        path.write_text(SHIM.format(name=name, real=shutil.which(name)))
        path.chmod(0o755)
    return folder


def _content(volume: Path) -> dict[str, str]:
    return {str(one.relative_to(volume)): one.read_text() for one in volume.rglob("*") if one.is_file()}


def _run(volume: Path, script: str, *, shims: Path | None = None, kill_at: int = 0) -> int:
    count = volume.parent / "count"
    count.write_text("0\n")
    path = f"{shims}:/usr/bin:/bin" if shims else "/usr/bin:/bin"
    done = subprocess.run(
        ["sh", "-euc", script],
        cwd=volume,
        env={"PATH": path, "COUNT": str(count), "KILL_AT": str(kill_at)},
        start_new_session=True,
        capture_output=True,
        check=False,
    )
    return done.returncode


def test_the_new_takes_the_place_of_the_old(volume: Path) -> None:
    assert _run(volume, SWAP) == 0
    assert _content(volume) == NEW
    assert not list(volume.glob(f"{STAGING}*"))


def test_foreign_names_of_the_old_leave_with_it(tmp_path: Path) -> None:
    volume = _staged(tmp_path / "volume", OLD | ODD, NEW)
    assert _run(volume, SWAP) == 0
    assert _content(volume) == NEW


def test_done_twice_it_changes_nothing(volume: Path) -> None:
    _run(volume, SWAP)
    assert _run(volume, SWAP) == 0
    assert _content(volume) == NEW


def test_what_was_staged_is_discarded(volume: Path) -> None:
    assert _run(volume, DISCARD) == 0
    assert _content(volume) == OLD


def _killed_at_every_step(volume: Path, shims: Path) -> Iterator[int]:
    """Yield after each kill, on a fresh volume each time."""
    pristine = volume.with_name("pristine")
    shutil.copytree(volume, pristine)
    for step in range(1, 200):
        shutil.rmtree(volume)
        shutil.copytree(pristine, volume)
        if _run(volume, SWAP, shims=shims, kill_at=step) == 0:
            assert step > len(STEPS)
            return
        yield step
    pytest.fail("It never came to its end.")


@pytest.fixture(params=[{}, ODD], ids=["own names", "foreign names"])
def any_volume(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return _staged(tmp_path / "volume", OLD | request.param, NEW | request.param)


def test_killed_at_every_step_it_goes_on(any_volume: Path, shims: Path) -> None:
    volume = any_volume
    new = {name: text for name, text in _content(volume / STAGED).items() if not name.startswith(STAGING)}
    old = {name: text for name, text in _content(volume).items() if not name.startswith(STAGING)}
    for _ in _killed_at_every_step(volume, shims):
        if (volume / "PG_VERSION").exists():
            # Whoever starts a server now finds all of one, never some of each.
            found = {name: text for name, text in _content(volume).items() if not name.startswith(STAGING)}
            assert found in (old, new)
        assert _run(volume, SWAP) == 0
        assert _content(volume) == new
        assert not list(volume.glob(f"{STAGING}*"))


def _serve(volume: Path) -> None:
    """Do as Redis does at its start: take what is there, or make it anew; and leave a file of its own."""
    log = volume / "appendonlydir" / "1.aof"
    if not log.exists():
        log.parent.mkdir()
        log.write_text("in between")
    (volume / IN_BETWEEN).write_text("in between")


def test_a_server_that_was_started_in_between_is_no_obstacle(tmp_path: Path, shims: Path) -> None:
    volume = _staged(tmp_path / "volume", OLD_CACHE, NEW_CACHE)
    for step in _killed_at_every_step(volume, shims):
        _serve(volume)
        # Killed once more, and started once more.
        _run(volume, SWAP, shims=shims, kill_at=step)
        complete = not (volume / STAGED).exists()
        _serve(volume)
        assert _run(volume, SWAP) == 0
        # What was served from the whole of the new data stays.
        assert _content(volume) == NEW_CACHE | ({IN_BETWEEN: "in between"} if complete else {})
        assert not list(volume.glob(f"{STAGING}*"))


def test_what_a_file_system_has_of_its_own_stays(volume: Path) -> None:
    for folder in (volume, volume / STAGED):
        (folder / "lost+found").mkdir()
    (volume / "lost+found" / "#1").touch()
    assert _run(volume, SWAP) == 0
    assert (volume / "lost+found" / "#1").exists()
