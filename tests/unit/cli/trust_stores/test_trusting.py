from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest

from cli.core import process
from cli.core.errors import UserError
from cli.environments.clone import Clone
from cli.trust_stores import authority, trusting
from cli.trust_stores.authority import Authority, NotBegunError
from cli.trust_stores.system import AnchorFolder
from tests.unit.cli.conftest import MakeProgram

UPDATE = """
if [ -e {root}/broken ]; then echo broken >&2; exit 1; fi
cat {root}/anchors/* > {root}/bundle 2>/dev/null || :
"""
"""Makes a bundle of the anchors; fails while there is a file `broken`."""


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone("me", tmp_path, tmp_path / "home")


@pytest.fixture
def store(tmp_path: Path, program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> AnchorFolder:
    """The only trust store of this machine, changed as root."""
    (tmp_path / "anchors").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    made = AnchorFolder(tmp_path / "anchors", ".crt", [str(program("update", UPDATE.format(root=tmp_path)) / "update")])
    monkeypatch.setattr(trusting, "_found", lambda _which: [made])
    return made


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Makes the updater fail where it exists."""
    return tmp_path / "broken"


def _bundle(tmp_path: Path) -> str:
    return (tmp_path / "bundle").read_text()


def test_a_ca_that_was_half_added_is_added_by_the_same_command(
    tmp_path: Path, clone: Clone, ca: Authority, store: AnchorFolder, broken: Path
) -> None:
    broken.touch()
    with pytest.raises(UserError, match="failed"):
        trusting.add(clone, ca, [store])
    assert trusting.lacks(clone, ca, store)
    assert trusting.may_hold(clone, ca, store)
    broken.unlink()
    trusting.add(clone, ca, [store])
    assert not trusting.lacks(clone, ca, store)
    assert _bundle(tmp_path) == ca.pem
    assert [file.suffix for file in (clone.home / "trusted" / ca.environment).iterdir()] == [".crt"]


def test_a_ca_that_was_half_removed_is_removed_by_the_same_command(
    tmp_path: Path, clone: Clone, ca: Authority, store: AnchorFolder, broken: Path
) -> None:
    trusting.add(clone, ca, [store])
    broken.touch()
    with pytest.raises(UserError, match="failed"):
        trusting.remove(clone, ca, [store])
    assert not store.holds(ca)
    assert _bundle(tmp_path) == ca.pem
    assert trusting.may_hold(clone, ca, store)
    assert trusting.remove(clone, ca, []) == [store], "other stores were chosen"
    assert authority.trusted(clone, ca.environment) == [ca]
    broken.unlink()
    assert trusting.remove(clone, ca, [store]) == []
    assert _bundle(tmp_path) == ""
    assert authority.trusted(clone, ca.environment) == []
    assert authority.unfinished(clone, ca) == set()


@pytest.fixture(params=["missing", "refused", "interrupted"])
def no_root(
    request: pytest.FixtureRequest, store: AnchorFolder, program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> AnchorFolder:
    """The store, for a user who does not become root."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    if request.param == "interrupted":
        monkeypatch.setattr(process, "output", Mock(side_effect=KeyboardInterrupt))
    elif request.param == "refused":
        monkeypatch.setenv("PATH", f"{program('sudo', 'exit 1')}:{os.environ['PATH']}")
    else:
        monkeypatch.setenv("PATH", str(program("another", "")))
    return store


@pytest.mark.parametrize("change", [trusting.add, trusting.remove])
def test_what_was_done_by_hand_for_a_user_who_is_not_root_counts_as_done(
    clone: Clone, ca: Authority, no_root: AnchorFolder, change: Callable[..., object]
) -> None:
    with pytest.raises(NotBegunError) as raised:
        change(clone, ca, [no_root])
    assert authority.unfinished(clone, ca) == set()
    by_hand = raised.value.remedy.partition("again: ")[2]
    subprocess.run(["/bin/sh", "-c", f"PATH=/usr/bin:/bin; {by_hand}"], check=True)
    is_added = change is trusting.add
    assert trusting.lacks(clone, ca, no_root) is not is_added
    assert trusting.may_hold(clone, ca, no_root) is is_added


def test_a_change_that_was_begun_earlier_stays_unfinished(clone: Clone, ca: Authority) -> None:
    store = Mock(place="the attic", add=Mock(side_effect=[KeyboardInterrupt, NotBegunError("no root")]))
    for failure in (KeyboardInterrupt, NotBegunError):
        with pytest.raises(failure):
            trusting.add(clone, ca, [store])
        assert authority.unfinished(clone, ca) == {"the attic"}


def test_what_is_unfinished_in_one_store_is_not_in_another(clone: Clone, ca: Authority, store: AnchorFolder) -> None:
    other = Mock(place="the attic", holds=Mock(return_value=True), add=Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        trusting.add(clone, ca, [store, other])
    assert authority.unfinished(clone, ca) == {"the attic"}
    assert trusting.lacks(clone, ca, other)
    assert not trusting.lacks(clone, ca, store)


def test_a_ca_is_not_forgotten_where_nothing_can_look(
    clone: Clone, ca: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Mock(place="the attic", holds=Mock(return_value=None))
    monkeypatch.setattr(trusting, "_found", lambda _which: [store])
    assert trusting.lacks(clone, ca, store)
    assert trusting.remove(clone, ca, []) == [store]
    assert authority.trusted(clone, ca.environment) == [ca]
