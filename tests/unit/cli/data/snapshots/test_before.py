from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from cli.core.errors import UserError
from cli.data.snapshots import before, create, parts
from cli.data.snapshots.create import Taken
from cli.data.snapshots.helper import Part
from cli.data.snapshots.parts import NothingToKeepError
from cli.environments.clone import Clone
from infra.naming import Naming
from tests.unit.cli.engine_double import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMING = Naming("dev", "me")
VOLUME = NAMING.data_volume("postgres")
TAKEN = Taken("dev", "one", "/snapshots/dev/one", 1, 1.0, 0.0)


class World:
    """An environment whose data may be there, in memory, or harmed."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engine, self.clone = Engine(root), Clone("me", root, root / "home")
        self.create = Mock(return_value=TAKEN)
        self.of = Mock(return_value=(Mock(), NAMING, [Part("postgres", VOLUME, "image", "70:70")]))
        self.files = ""
        monkeypatch.setattr(create, "create", self.create)
        monkeypatch.setattr(parts, "of", self.of)
        monkeypatch.setattr(before, "helper", self.helper)

    @contextmanager
    def helper(self, *_: object) -> Iterator[Mock]:
        yield Mock(script=Mock(return_value=self.files))

    def make(self) -> None:
        self.engine.volumes[VOLUME] = NAMING.labels("postgres")

    def take(self) -> bool:
        """Return whether one was taken."""
        before.take(self.engine.client, self.clone, "dev")
        return bool(self.create.called)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_one_is_taken_and_the_way_back_is_named(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.make()
    assert world.take()
    assert "`./dashtam snapshot restore dev one`" in " ".join(capsys.readouterr().err.split())


def test_none_is_taken_where_there_is_no_data(world: World) -> None:
    assert not world.take()
    world.of.side_effect = NothingToKeepError("in memory")
    assert not world.take()


def test_a_database_that_was_never_made_is_no_data(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.make()
    world.create.side_effect = NothingToKeepError("no data yet")
    world.files = "lost+found\n"
    world.take()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("failure", [UserError("no room", remedy="Make room."), NothingToKeepError("no database")])
def test_where_none_can_be_taken_nothing_is_replaced(world: World, failure: UserError) -> None:
    world.make()
    world.create.side_effect = failure
    world.files = "base\n"
    with pytest.raises(UserError, match="The data of dev was not replaced, since no snapshot") as raised:
        world.take()
    assert failure.message in raised.value.cause
    assert raised.value.remedy.endswith("With --no-snapshot its data is lost.")
