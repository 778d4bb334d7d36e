"""The switch's own script, killed at every one of its steps."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cli.snapshots.switch import DISCARD, STAGED, STAGING, SWITCH

OLD = {"PG_VERSION": "17", "base/1": "old", "only-old": "old", ".hidden": "old"}
NEW = {"PG_VERSION": "17", "base/1": "new", "only-new": "new", ".concealed": "new"}

STEPS = ("mv", "sync", "mkdir", "rmdir", "rm")

SHIM = """#!/bin/sh
# Counts the steps; at the one that is asked for, does half of it where there are halves, and kills the whole script.
count=$(($(cat "$COUNT") + 1))
echo "$count" > "$COUNT"
if [ "$count" = "$KILL_AT" ]; then
    if [ "{name}" = mv ]; then for last; do :; done; {real} "$1" "$last"; fi
    kill -9 0
fi
exec {real} "$@"
"""


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    made = tmp_path / "volume"
    for folder, content in ((made, OLD), (made / STAGED, NEW)):
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
    count.write_text("0")
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
    assert _run(volume, SWITCH) == 0
    assert _content(volume) == NEW
    assert not list(volume.glob(f"{STAGING}*"))


def test_done_twice_it_changes_nothing(volume: Path) -> None:
    _run(volume, SWITCH)
    assert _run(volume, SWITCH) == 0
    assert _content(volume) == NEW


def test_what_was_staged_is_discarded(volume: Path) -> None:
    assert _run(volume, DISCARD) == 0
    assert _content(volume) == OLD


def test_killed_at_every_step_it_goes_on(volume: Path, shims: Path) -> None:
    pristine = volume.with_name("pristine")
    shutil.copytree(volume, pristine)
    kills = 0
    for step in range(1, 100):
        shutil.rmtree(volume)
        shutil.copytree(pristine, volume)
        if _run(volume, SWITCH, shims=shims, kill_at=step) == 0:
            break
        kills += 1
        if (volume / "PG_VERSION").exists():
            # Whoever starts a server now finds all of one, never some of each.
            found = {name: text for name, text in _content(volume).items() if not name.startswith(STAGING)}
            assert found in (OLD, NEW)
        assert _run(volume, SWITCH) == 0
        assert _content(volume) == NEW
        assert not list(volume.glob(f"{STAGING}*"))
    assert kills >= len(STEPS)
