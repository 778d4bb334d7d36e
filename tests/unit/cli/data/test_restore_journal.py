from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.data.restore_journal import Entry, Journal, Phase
from cli.data.snapshots.helper import Part

PART = Part("postgres", "postgres_dev_data", "postgres:17", "70:70")
ENTRY = Entry(format=2, snapshot="one", phase=Phase.STAGING, parts=(PART,))


def test_it_is_there_while_a_restore_is_under_way(tmp_path: Path) -> None:
    noted = Journal(tmp_path / "restoring" / "dev.json")
    assert noted.read() is None
    noted.write(ENTRY)
    assert noted.read() == ENTRY
    noted.write(ENTRY.model_copy(update={"phase": Phase.SWAPPING}))
    found = noted.read()
    assert found
    assert (found.phase, found.parts) == (Phase.SWAPPING, (PART,))
    assert stat.S_IMODE(noted.path.stat().st_mode) == 0o600
    noted.clear()
    noted.clear()
    assert list(noted.path.parent.iterdir()) == []


@pytest.mark.parametrize("content", ['{"snapshot": "one", "phase": "switching", "parts": []}', "{", ""])
def test_one_of_another_version_is_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "dev.json"
    path.write_text(content)
    with pytest.raises(UserError, match="A restore of dev was interrupted, and another version") as raised:
        Journal(path).read()
    assert str(path) in raised.value.cause
    assert "./dashtam up dev" in raised.value.remedy
    assert path.exists()
