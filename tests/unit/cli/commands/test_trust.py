from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner, Result

from cli.core.errors import UsageError, UserError
from cli.environments import clone, states
from cli.environments.clone import Clone
from cli.main import app
from cli.operations import certificates
from cli.trust_stores import authority, trusting
from cli.trust_stores.authority import Authority
from tests.unit.cli.trust_stores.conftest import MakeAuthority, make_authority

__all__ = ["make_authority"]


class Shelf:
    """A trust store."""

    place = "the shelf"
    needs_root = True

    def __init__(self) -> None:
        self.held: list[Authority] = []

    def holds(self, ca: Authority) -> bool:
        return ca in self.held

    def add(self, ca: Authority, file: Path) -> None:
        assert file.read_text() == ca.pem
        self.held.append(ca)

    def remove(self, ca: Authority, file: Path) -> None:
        assert file.read_text() == ca.pem
        self.held.remove(ca)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    made = Clone("me", tmp_path, tmp_path / "home")
    monkeypatch.setattr(clone, "current", lambda: made)
    monkeypatch.setattr(states, "read", Mock())
    return made


@pytest.fixture
def shelf(here: Clone, monkeypatch: pytest.MonkeyPatch) -> Shelf:  # noqa: ARG001 - trust is noted there
    made = Shelf()
    monkeypatch.setattr(trusting, "stores", lambda *_, **__: [made])
    monkeypatch.setattr(trusting, "_found", lambda *_: [made])
    return made


def _run(command: str, *options: str, ca: Authority | None = None, answer: str = "") -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certificates, "authority", lambda _state: ca.pem if ca else None)
        return CliRunner().invoke(app, [command, "test", *options], input=answer, catch_exceptions=False)


def test_it_asks_first_and_says_what_and_where(shelf: Shelf, make_authority: MakeAuthority) -> None:
    ca = make_authority()
    refused = _run("trust", ca=ca, answer="n\n")
    assert refused.exit_code == 1
    assert shelf.held == []
    for told in (ca.fingerprint, "name constraints: none", "the shelf, as root", "Trust test?"):
        assert told in refused.output
    assert _run("trust", ca=ca, answer="y\n").exit_code == 0
    assert shelf.held == [ca]


def test_it_is_trusted_once(shelf: Shelf, make_authority: MakeAuthority) -> None:
    ca = make_authority()
    _run("trust", "--yes", ca=ca)
    assert "trusted already by the shelf" in _run("trust", ca=ca).output
    assert shelf.held == [ca]


@pytest.mark.parametrize("command", ["trust", "untrust"])
def test_an_interrupted_command_is_finished_by_the_next(
    shelf: Shelf, here: Clone, monkeypatch: pytest.MonkeyPatch, make_authority: MakeAuthority, command: str
) -> None:
    ca = make_authority()
    if command == "untrust":
        _run("trust", "--yes", ca=ca)
    call = {"trust": "add", "untrust": "remove"}[command]

    def stop(*_: object) -> None:
        # The store looks as it does after the change.
        shelf.held = [ca] if command == "trust" else []
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shelf, call, stop)
        assert _run(command, "--yes", ca=ca).exit_code != 0
    again = Mock()
    with monkeypatch.context() as patch:
        patch.setattr(shelf, call, again)
        assert _run(command, "--yes", ca=ca).exit_code == 0
    again.assert_called_once()
    assert authority.trusted(here, "test") == ([ca] if command == "trust" else [])


def test_a_new_ca_takes_the_place_of_an_earlier_one(shelf: Shelf, here: Clone, make_authority: MakeAuthority) -> None:
    old, new = make_authority(), make_authority()
    _run("trust", "--yes", ca=old)
    assert f"replaces {old.name}" in _run("trust", "--yes", ca=new).output
    assert shelf.held == [new]
    assert authority.trusted(here, "test") == [new]


def test_only_what_was_put_in_goes_out(shelf: Shelf, here: Clone, make_authority: MakeAuthority) -> None:
    ours, theirs = make_authority(), make_authority()
    shelf.held.append(theirs)
    _run("trust", "--yes", ca=ours)
    assert _run("untrust", answer="n\n").exit_code == 1
    assert ours in shelf.held
    assert _run("untrust", "--yes").exit_code == 0
    assert shelf.held == [theirs]
    assert authority.trusted(here, "test") == []
    assert "is not trusted by this machine" in _run("untrust").output


def test_scripts_get_what_was_done_and_no_question(shelf: Shelf, make_authority: MakeAuthority) -> None:
    old, new = make_authority(), make_authority()

    def document(command: str, ca: Authority | None = None) -> object:
        return json.loads(_run(command, "--yes", "--json", ca=ca).stdout)

    def held(*cas: Authority) -> list[dict[str, str]]:
        return [{"authority": ca.name, "store": shelf.place} for ca in cas]

    with pytest.raises(UsageError) as asked:
        _run("trust", "--json", ca=old)
    assert asked.value.remedy == "Add --yes."
    assert document("trust", old) == {"environment": "test", "added": held(old), "removed": []}
    assert document("trust", old) == {"environment": "test", "added": [], "removed": []}
    assert document("trust", new) == {"environment": "test", "added": held(new), "removed": held(old)}
    with pytest.raises(UsageError):
        _run("untrust", "--json")
    assert document("untrust") == {"environment": "test", "removed": held(new), "left": []}
    assert document("untrust") == {"environment": "test", "removed": [], "left": []}


def test_a_store_that_may_hold_it_still_is_named(
    shelf: Shelf, here: Clone, monkeypatch: pytest.MonkeyPatch, make_authority: MakeAuthority
) -> None:
    ca = make_authority()
    _run("trust", "--yes", ca=ca)
    locked = Mock(place="the attic", holds=Mock(return_value=True))
    monkeypatch.setattr(trusting, "_found", lambda *_: [shelf, locked])
    assert f"{ca.name} may still be in the attic." in _run("untrust", "--yes").output
    assert authority.trusted(here, "test") == [ca]


@pytest.mark.usefixtures("shelf")
def test_an_environment_that_is_down_has_nothing_to_trust() -> None:
    with pytest.raises(UserError, match="test is not running"):
        _run("trust")


@pytest.mark.usefixtures("here")
def test_a_machine_without_a_known_store_is_told(
    monkeypatch: pytest.MonkeyPatch, make_authority: MakeAuthority
) -> None:
    monkeypatch.setattr(trusting, "stores", lambda *_, **__: [])
    with pytest.raises(UserError, match="No trust store") as raised:
        _run("trust", ca=make_authority())
    assert "`./dashtam env test`" in raised.value.remedy
