from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest

from cli.core.errors import UserError
from cli.data import restore_journal
from cli.engine.inventory import EngineView
from cli.environments import environment_lock, named_environments, ownership, states
from cli.environments.clone import Clone
from cli.operations import destroy, drift, reconcile, recover
from cli.operations.destroy import Removal
from cli.operations.take_snapshot import Taken
from cli.pulumi import locks
from cli.pulumi.stack_state import StackState
from infra.naming import Naming

DATA = {"postgres_test_data"}
TAKEN = Taken("test", "one", "/snapshots/test/one", 1, 1.0, 0.0)


class World:
    """Everything that a removal is made of, noting what is done in which order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
        self.done: list[str] = []
        self.fails = ""
        self.session = Mock()
        self.session.clone.home = home
        self.session.pulumi.run = lambda *words, **_: self.note(words[1])
        self.session.engine.volume_documents = lambda: self.note("volumes")
        self.session.engine.remove_volume = lambda name, _: self.note(f"remove {name}")
        monkeypatch.setattr(states, "read", Mock())
        monkeypatch.setattr(ownership, "require_own", lambda *_: self.note("own?"))
        monkeypatch.setattr(ownership, "require_engine", lambda *_: self.note("this engine?"))
        monkeypatch.setattr(ownership, "require_own_volumes", lambda *_: self.note("own volumes?"))
        monkeypatch.setattr(ownership, "data", Mock(return_value=DATA))
        monkeypatch.setattr(ownership, "volumes", Mock(return_value={"left"}))
        monkeypatch.setattr(environment_lock, "held", self.turn)
        monkeypatch.setattr(destroy, "before_destroying", self.before_destroying)
        monkeypatch.setattr(drift, "look", Mock())
        monkeypatch.setattr(reconcile, "make_lost_volumes", lambda *_: self.note("make lost volumes"))
        monkeypatch.setattr(destroy, "Updates", Mock(return_value=Mock(run=lambda _: self.note("destroy"))))
        monkeypatch.setattr(restore_journal, "of", Mock())
        monkeypatch.setattr(named_environments, "forget", lambda *_: self.note("forget"))
        monkeypatch.setattr(locks, "release_dead", lambda *_: self.note("release_dead"))
        for name in ("remove_test_container", "recover"):
            monkeypatch.setattr(recover, name, lambda *_, name=name: self.note(name))

    def note(self, what: str) -> str:
        self.done.append(what)
        if what == self.fails:
            raise UserError(what)
        return ""

    @contextmanager
    def turn(self, *_: object) -> Iterator[None]:
        self.note("turn")
        yield
        self.note("end of turn")

    @contextmanager
    def before_destroying(self, _environment: object, data: set[str]) -> Iterator[Taken]:
        assert data == DATA
        self.note("snapshot")
        yield TAKEN


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    return World(monkeypatch, tmp_path)


CHECKED = ["own?", "this engine?", "volumes", "own volumes?"]
BEFORE = ["turn", *CHECKED, "release_dead", "output", "recover"]
READY = ["remove_test_container", "make lost volumes", "volumes", "own volumes?"]
REMOVED = [*READY, "unprotect", "destroy", "volumes", "remove left", "forget", "end of turn"]


@pytest.mark.parametrize("agreed", [None, DATA])
def test_everything_happens_in_one_turn(world: World, agreed: set[str] | None) -> None:
    assert Removal(world.session, "test").run(agreed, snapshot=True) is TAKEN
    assert world.done == [*BEFORE, "snapshot", *REMOVED]


def test_without_a_snapshot_none_is_taken(world: World) -> None:
    assert Removal(world.session, "test").run(DATA, snapshot=False) is None
    assert world.done == [*BEFORE, *REMOVED]


@pytest.mark.parametrize("fails", [*CHECKED, "release_dead", "output"])
def test_what_stands_in_the_way_is_told_before_anything_stops(world: World, fails: str) -> None:
    world.fails = fails
    with pytest.raises(UserError):
        Removal(world.session, "test").run(None, snapshot=True)
    assert "snapshot" not in world.done
    assert "destroy" not in world.done


def test_data_that_nobody_agreed_to_remove_stays(world: World) -> None:
    with pytest.raises(UserError, match="postgres_test_data since it was asked for"):
        Removal(world.session, "test").run(set(), snapshot=True)
    assert world.done == ["turn", *CHECKED]


def test_a_volume_of_others_that_came_meanwhile_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    refusals = iter([None, UserError("not its own")])
    monkeypatch.setattr(ownership, "require_own_volumes", Mock(side_effect=refusals))
    with pytest.raises(UserError, match="not its own"):
        Removal(world.session, "test").run(None, snapshot=True)
    assert not {"unprotect", "destroy"} & {*world.done}


def test_volumes_are_listed_once_for_whose_they_are_and_what_they_hold(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    labels = Naming("test", "me").labels("postgres")
    client = Mock()
    client.api.volumes.return_value = {"Volumes": [{"Name": one, "Labels": labels} for one in DATA]}
    monkeypatch.setattr(states, "read", lambda *_: StackState([]))
    session = Mock(engine=EngineView(client), clone=Clone("me", tmp_path, tmp_path))
    assert Removal(session, "test", engine_lost=True).data() == DATA
    client.api.volumes.assert_called_once()
