from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import Mock

import pytest

from cli.core.errors import UserError
from cli.data.snapshots import before, create, parts, swap
from cli.data.snapshots.create import Taken
from cli.data.snapshots.helper import Part
from cli.data.snapshots.parts import NothingToKeepError
from cli.engine import health
from cli.operations import snapshot_before_destroy
from tests.unit.cli.conftest import MakeContainer

TAKEN = Taken("test", "one", "/snapshots/test/one", 1, 1.0, 0.0)
PARTS = [
    Part("postgres", "postgres_test_data", "image", "70:70"),
    Part("redis", "redis_test_data", "image", "999:1000"),
]
DATA = {one.volume for one in PARTS}


class World:
    """An environment with an app and a sandbox that run, and a Redis that doesn't."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, container: MakeContainer) -> None:
        self.there = [
            container(),
            container(id="id-redis", component="redis", state="exited"),
            container(id="id-sandbox", component="sandbox"),
        ]
        self.session = Mock()
        self.session.engine.containers = lambda *_: self.there
        self.settled = Mock()
        self.stop = Mock()
        self.create = Mock(return_value=TAKEN)
        self.listing = ""
        monkeypatch.setattr(parts, "of", Mock(return_value=(Mock(), Mock(), PARTS)))
        monkeypatch.setattr(swap, "stop", self.stop)
        monkeypatch.setattr(create, "create", self.create)
        monkeypatch.setattr(health, "settled", self.settled)
        monkeypatch.setattr(before, "helper", self.helper)

    @contextmanager
    def helper(self, *_: object) -> Iterator[Mock]:
        yield Mock(script=Mock(return_value=self.listing))

    @property
    def started(self) -> list[str]:
        return [call.args[0] for call in self.session.client.api.start.mock_calls]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, container: MakeContainer) -> World:
    return World(monkeypatch, container)


def test_what_writes_is_stopped_before_and_stays_so(world: World) -> None:
    with snapshot_before_destroy.farewell(world.session, "test", DATA) as taken:
        world.stop.assert_called_once()
    assert taken is TAKEN
    assert world.started == []


def test_what_ran_goes_on_where_the_removal_fails(world: World) -> None:
    with pytest.raises(KeyboardInterrupt), snapshot_before_destroy.farewell(world.session, "test", DATA):
        raise KeyboardInterrupt
    assert world.started == ["id-app"]
    world.settled.assert_called_once()


def test_a_part_of_it_does_not_go_on_alone(world: World) -> None:
    def remove_one_and_fail() -> None:
        with snapshot_before_destroy.farewell(world.session, "test", DATA):
            del world.there[0]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        remove_one_and_fail()
    assert world.started == []


@pytest.mark.parametrize("failing", ["stop", "create"])
def test_what_ran_goes_on_where_no_snapshot_can_be_taken(world: World, failing: str) -> None:
    getattr(world, failing).side_effect = UserError("no room")
    with (
        pytest.raises(UserError, match="test was not removed") as raised,
        snapshot_before_destroy.farewell(world.session, "test", DATA),
    ):
        pytest.fail("it was to be removed")
    assert "no room" in raised.value.cause
    assert "--no-snapshot" in raised.value.remedy
    assert world.started == ["id-app"]


def test_data_that_no_snapshot_would_hold_is_not_let_go(world: World) -> None:
    beyond = {*DATA, "postgres_test-1a2b_data"}
    with pytest.raises(UserError) as raised, snapshot_before_destroy.farewell(world.session, "test", beyond):
        pytest.fail("it was to be removed")
    assert "postgres_test-1a2b_data" in raised.value.cause
    world.stop.assert_not_called()


@pytest.mark.parametrize("listing", ["", "lost+found\n"])
def test_a_database_that_was_never_made_needs_no_snapshot(world: World, listing: str) -> None:
    world.create.side_effect = NothingToKeepError("no data yet")
    world.listing = listing
    with snapshot_before_destroy.farewell(world.session, "test", DATA) as taken:
        assert taken is None


def test_a_database_that_has_come_to_harm_is_not_taken_for_none(world: World) -> None:
    world.create.side_effect = NothingToKeepError("no data yet")
    world.listing = "base\nglobal\n"
    with (
        pytest.raises(UserError, match="was not removed"),
        snapshot_before_destroy.farewell(world.session, "test", DATA),
    ):
        pytest.fail("it was to be removed")
