"""Looking for newer pins, with the real uv and the registries that this machine reaches."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cli.pins import npm, python, writing
from cli.pins.python import versions
from tests.system.running import run, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.checkout import Checkout

PROJECT = '[project]\nname = "pinned"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["idna{wish}"]\n'


def test_looking_changes_nothing(checkout: Checkout) -> None:
    done = checkout.dashtam("update", "--json")
    document = json.loads(succeed(done))
    answered = {one["source"]: one for one in document["sources"]}
    assert set(answered) == {"base images", python.SOURCE, npm.SOURCE}
    assert document["applied"] is False
    # A source that is slow or out of reach says so, and the others are shown.
    assert [name for name, one in answered.items() if one["failure"] is None] != []
    assert [name for name, one in answered.items() if one["failure"] and (one["changes"] or one["files"])] == []
    assert [name for name, one in answered.items() if bool(one["changes"]) != bool(one["files"])] == []
    assert checkout.status() == ""


def test_a_newer_package_is_found_and_written(tmp_path: Path) -> None:
    project, lock = tmp_path / "pyproject.toml", tmp_path / "uv.lock"
    project.write_text(PROJECT.format(wish="==3.4"))
    succeed(run([python.find_uv(), "lock", "--project", str(tmp_path)], cwd=tmp_path))
    project.write_text(PROJECT.format(wish=">=3.4"))
    found = python.propose(tmp_path)
    (change,) = found.changes
    assert (change.name, change.pinned) == ("idna", "3.4")
    assert lock.read_text().count('version = "3.4"') == 1
    writing.write(tmp_path, found.edits)
    assert versions(lock.read_text())["idna"] == change.newer
    assert python.propose(tmp_path).changes == ()
