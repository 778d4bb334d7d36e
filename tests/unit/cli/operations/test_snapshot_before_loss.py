from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from unittest.mock import Mock

import pytest

from cli.core.errors import UserError
from cli.data.snapshots import volume_swap
from cli.data.snapshots.helper import Part
from cli.engine import health
from cli.environments.clone import Clone
from cli.environments.handle import EnvironmentHandle
from cli.operations import data_parts, snapshot_before_loss, take_snapshot
from cli.operations.data_parts import NoPersistentDataError
from cli.operations.take_snapshot import Taken
from infra.naming import Naming
from tests.unit.cli.conftest import MakeContainer
from tests.unit.cli.engine_double import Engine

NAMING = Naming("test", "me")
TAKEN = Taken("test", "one", "/snapshots/test/one", 1, 1.0, 0.0)
PARTS = [
    Part("postgres", "postgres_test_data", "image", "70:70"),
    Part("redis", "redis_test_data", "image", "999:1000"),
]
DATA = {one.volume for one in PARTS}


class Snapshots:
    """Snapshots that are taken, or can't be, of an environment whose volumes have these files."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.take = Mock(return_value=TAKEN)
        self.parts = Mock(return_value=(Mock(), PARTS))
        self.files: dict[str, list[str]] = {}
        monkeypatch.setattr(data_parts, "parts_by_config_or_state", self.parts)
        monkeypatch.setattr(take_snapshot, "take", self.take)
        monkeypatch.setattr(snapshot_before_loss, "helper", self.helper)

    @contextmanager
    def helper(self, _environment: object, part: Part) -> Iterator[Mock]:
        yield Mock(script=lambda _: "\n".join(self.files.get(part.volume, [])))


@pytest.fixture
def snapshots(monkeypatch: pytest.MonkeyPatch) -> Snapshots:
    return Snapshots(monkeypatch)


class Replaced:
    """An environment whose data, if it has any, is about to be replaced."""

    def __init__(self, root: Path) -> None:
        self.engine = Engine(root)
        self.environment = EnvironmentHandle("test", Clone("me", root, root / "home"), self.engine.view)

    def make(self) -> None:
        self.engine.volumes[PARTS[0].volume] = NAMING.labels("postgres")

    def prepare(self) -> None:
        snapshot_before_loss.before_replacing(self.environment)


@pytest.fixture
def replaced(tmp_path: Path) -> Replaced:
    return Replaced(tmp_path)


def test_a_snapshot_is_taken_and_the_way_back_is_named(
    snapshots: Snapshots, replaced: Replaced, capsys: pytest.CaptureFixture[str]
) -> None:
    replaced.make()
    replaced.prepare()
    snapshots.take.assert_called_once()
    assert "`./dashtam snapshot restore test one`" in " ".join(capsys.readouterr().err.split())


def test_none_is_taken_where_there_is_no_data(snapshots: Snapshots, replaced: Replaced) -> None:
    replaced.prepare()
    snapshots.parts.side_effect = NoPersistentDataError("in memory")
    replaced.prepare()
    snapshots.take.assert_not_called()


def test_a_database_that_was_never_made_is_no_data(
    snapshots: Snapshots, replaced: Replaced, capsys: pytest.CaptureFixture[str]
) -> None:
    replaced.make()
    snapshots.take.side_effect = NoPersistentDataError("no data yet")
    replaced.prepare()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (UserError("no room", remedy="Make room."), "no room"),
        (NoPersistentDataError("no database"), "no snapshot of the data in postgres_test_data."),
    ],
)
def test_where_none_can_be_taken_nothing_is_replaced(
    snapshots: Snapshots, replaced: Replaced, failure: UserError, said: str
) -> None:
    replaced.make()
    snapshots.take.side_effect = failure
    snapshots.files = {PARTS[0].volume: ["base/1"]}
    with pytest.raises(UserError, match="The data of test was not replaced, since no snapshot") as raised:
        replaced.prepare()
    assert said in raised.value.cause
    assert raised.value.remedy.endswith("Or run the command with --no-snapshot, which deletes the data for good.")


class Destroyed:
    """An environment with an app and a sandbox that run, and a Redis that doesn't, about to be destroyed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, container: MakeContainer) -> None:
        self.containers = [
            container(),
            container(id="id-redis", component="redis", state="exited"),
            container(id="id-sandbox", component="sandbox"),
        ]
        self.view = Mock(containers=lambda *_: self.containers)
        self.environment = EnvironmentHandle("test", Mock(id="me"), self.view)
        self.settled = Mock()
        self.stop = Mock()
        monkeypatch.setattr(volume_swap, "stop", self.stop)
        monkeypatch.setattr(health, "settled", self.settled)

    @property
    def started(self) -> list[str]:
        return [call.args[0] for call in self.view.client.api.start.mock_calls]


@pytest.fixture
def destroyed(monkeypatch: pytest.MonkeyPatch, container: MakeContainer) -> Destroyed:
    return Destroyed(monkeypatch, container)


@pytest.mark.usefixtures("snapshots")
def test_services_that_write_are_stopped_before_and_stay_so(destroyed: Destroyed) -> None:
    with snapshot_before_loss.before_destroying(destroyed.environment, DATA) as taken:
        destroyed.stop.assert_called_once()
    assert taken is TAKEN
    assert destroyed.started == []


@pytest.mark.usefixtures("snapshots")
def test_what_ran_runs_again_where_the_removal_fails(destroyed: Destroyed) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        snapshot_before_loss.before_destroying(destroyed.environment, DATA),
    ):
        raise KeyboardInterrupt
    assert destroyed.started == ["id-app"]
    destroyed.settled.assert_called_once()


@pytest.mark.usefixtures("snapshots")
def test_a_part_of_it_does_not_run_alone(destroyed: Destroyed) -> None:
    def remove_one_and_fail() -> None:
        with snapshot_before_loss.before_destroying(destroyed.environment, DATA):
            del destroyed.containers[0]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        remove_one_and_fail()
    assert destroyed.started == []


@pytest.mark.parametrize("failing", ["stop", "take"])
def test_what_ran_runs_again_where_no_snapshot_can_be_taken(
    snapshots: Snapshots, destroyed: Destroyed, failing: str
) -> None:
    mock = destroyed.stop if failing == "stop" else snapshots.take
    mock.side_effect = UserError("no room")
    with (
        pytest.raises(UserError, match="test was not removed") as raised,
        snapshot_before_loss.before_destroying(destroyed.environment, DATA),
    ):
        pytest.fail("it was to be removed")
    assert "no room" in raised.value.cause
    assert "--no-snapshot" in raised.value.remedy
    assert destroyed.started == ["id-app"]


@pytest.mark.usefixtures("snapshots")
def test_data_that_no_snapshot_would_hold_is_not_destroyed(destroyed: Destroyed) -> None:
    beyond = {*DATA, "postgres_test-1a2b_data"}
    with (
        pytest.raises(UserError) as raised,
        snapshot_before_loss.before_destroying(destroyed.environment, beyond),
    ):
        pytest.fail("it was to be removed")
    assert "postgres_test-1a2b_data" in raised.value.cause
    destroyed.stop.assert_not_called()


@pytest.mark.parametrize(
    ("files", "there", "named"),
    [
        ({}, ["postgres", "redis"], ""),
        ({}, ["redis"], ""),
        ({"postgres_test_data": ["base/1"]}, ["postgres", "redis"], "postgres_test_data"),
        ({"redis_test_data": ["1.incr.aof"]}, ["redis"], "redis_test_data"),
        ({one: ["file"] for one in DATA}, ["postgres", "redis"], "postgres_test_data and redis_test_data"),
    ],
    ids=["all empty", "interrupted before the database's", "harmed", "database's removed", "both"],
)
def test_without_a_database_only_what_is_empty_is_destroyed_without_a_snapshot(
    snapshots: Snapshots, destroyed: Destroyed, files: dict[str, list[str]], there: list[str], named: str
) -> None:
    snapshots.take.side_effect = NoPersistentDataError("no data yet")
    snapshots.files = files
    destroyed.view.client.api.volumes.return_value = {
        "Volumes": [{"Name": NAMING.data_volume(one), "Labels": NAMING.labels(one)} for one in there]
    }
    refused = pytest.raises(UserError, match="test was not removed") if named else nullcontext()
    data = {NAMING.data_volume(one) for one in there}
    with refused as raised, snapshot_before_loss.before_destroying(destroyed.environment, data) as taken:
        assert not named
        assert taken is None
    assert not raised or f"no snapshot of the data in {named}." in raised.value.cause


@pytest.mark.parametrize("owner", ["another", ""], ids=["another clone's", "not this project's"])
def test_data_in_a_volume_of_others_is_not_destroyed_without_a_snapshot(
    snapshots: Snapshots, destroyed: Destroyed, owner: str
) -> None:
    snapshots.take.side_effect = NoPersistentDataError("no data yet")
    labels = {"postgres": Naming("test", owner).labels("postgres") if owner else None, "redis": NAMING.labels("redis")}
    destroyed.view.client.api.volumes.return_value = {
        "Volumes": [{"Name": NAMING.data_volume(one), "Labels": labels[one]} for one in labels]
    }
    with (
        pytest.raises(UserError, match="test was not removed") as raised,
        snapshot_before_loss.before_destroying(destroyed.environment, DATA),
    ):
        pytest.fail("it was to be removed")
    assert "no snapshot of the data in postgres_test_data." in raised.value.cause


def test_data_on_another_node_of_a_swarm_is_not_destroyed_without_a_snapshot(
    snapshots: Snapshots, destroyed: Destroyed
) -> None:
    snapshots.take.side_effect = NoPersistentDataError("no data yet")
    destroyed.view.client.api.volumes.return_value = {"Volumes": None}
    with (
        pytest.raises(UserError, match="test was not removed") as raised,
        snapshot_before_loss.before_destroying(destroyed.environment, DATA),
    ):
        pytest.fail("it was to be removed")
    assert "no snapshot of the data in postgres_test_data and redis_test_data." in raised.value.cause


AT_FIRST = {"appendonlydir/appendonly.aof.1.base.rdb": "x", "appendonlydir/appendonly.aof.1.incr.aof": ""}


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, False),
        ({"lost+found/#1": "x"}, False),
        ({**AT_FIRST, "appendonlydir/appendonly.aof.manifest": "x"}, False),
        ({**AT_FIRST, "appendonlydir/appendonly.aof.1.incr.aof": "x"}, True),
        ({**AT_FIRST, "appendonlydir/appendonly.aof.2.base.rdb": "x"}, True),
        ({"base/1": "x"}, True),
    ],
)
def test_a_volume_has_data_once_something_was_written(tmp_path: Path, files: dict[str, str], found: bool) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    script = ["sh", "-euc", snapshot_before_loss.CONTENT]
    done = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert bool(done.stdout) is found


def test_a_cache_without_a_database_is_data(snapshots: Snapshots, replaced: Replaced) -> None:
    assert not snapshot_before_loss.has_data(replaced.environment)
    replaced.engine.volumes[PARTS[1].volume] = NAMING.labels("redis")
    assert snapshot_before_loss.has_data(replaced.environment)
    snapshots.parts.assert_called()
