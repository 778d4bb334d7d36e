"""A snapshot is restored completely, or not at all."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from unittest.mock import Mock

import pytest

from app.tokens.rekeying import NOTHING, Rekeyed
from cli.core.errors import UserError
from cli.data import restore_journal, sealed_secrets
from cli.data.restore_journal import Entry, Phase
from cli.data.snapshots import installed_secrets, manifest, store, volume_swap
from cli.data.snapshots.helper import Part
from cli.data.snapshots.manifest import Manifest
from cli.engine import health
from cli.environments import environment_lock, placements
from cli.environments.clone import Clone
from cli.environments.handle import EnvironmentHandle
from cli.operations import data_parts, preflight, restore_snapshot, snapshot_before_loss
from cli.operations.session import Session
from cli.pulumi import locks
from infra.config.placement import Placement
from infra.naming import Naming
from tests.unit.cli.engine_double import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from infra.config.settings import StackSettings

MADE = Manifest(
    environment="dev",
    name="one",
    created=datetime(2026, 11, 28, tzinfo=UTC),
    postgres="17",
    database="dashtam",
    user="dashtam_user",
    images={"postgres": "a", "redis": "b"},
    pieces={},
)


@pytest.mark.parametrize(
    ("config", "parts", "cause"),
    [
        ({"database": "other"}, MADE.images, "It holds the database dashtam of dashtam_user"),
        ({"user": "other"}, MADE.images, "and the config names dashtam of other"),
        ({}, ["postgres"], "It holds the data of redis, which the config stores in memory"),
    ],
)
def test_one_that_does_not_fit_the_config_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: dict[str, str], parts: list[str], cause: str
) -> None:
    postgres = SimpleNamespace(**{"database": "dashtam", "user": "dashtam_user", **config})
    naming, settings = Naming("dev", "me"), SimpleNamespace(postgres=postgres)
    found = [Part(one, naming.data_volume(one), "image", "1:1") for one in parts]
    monkeypatch.setattr(data_parts, "parts_by_config", lambda *_: (settings, found))
    monkeypatch.setattr(store.Store, "read", lambda *_: MADE)
    session = Session(Clone("me", tmp_path, tmp_path / "home"), {}, None)
    monkeypatch.setattr(Session, "engine", Engine(tmp_path).view)
    with pytest.raises(UserError, match=r"The snapshot one doesn't fit dev; nothing was changed") as raised:
        restore_snapshot.restore(session, "dev", "one")
    assert cause in raised.value.cause


@pytest.mark.parametrize(
    "former", [None, Entry(format=2, snapshot="former", phase=Phase.SESSION_KEY, parts=())], ids=["none", "one"]
)
def test_one_that_fails_leaves_the_record_of_an_earlier_restore(tmp_path: Path, former: Entry | None) -> None:
    clone, naming = Clone("me", tmp_path, tmp_path / "home"), Naming("dev", "me")
    journal = restore_journal.of(clone, "dev")
    if former:
        journal.write(former)
    environment = EnvironmentHandle("dev", clone, Engine(tmp_path).view)
    parts = [Part("postgres", naming.data_volume("postgres"), "image", "1:1")]
    plan = restore_snapshot._Plan(environment, cast("StackSettings", None), parts, tmp_path, MADE)
    with pytest.raises(UserError, match="The volume postgres_dev_data of dev is missing"):
        restore_snapshot._stage(plan)
    assert journal.read() == former


class Restoring:
    """An environment that is down, with its volumes and secrets, whose snapshot is restored.

    Attributes:
        done: What was done, in order.
        staged: The volumes that the data was copied into.
    """

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engine, self.naming, self.done = Engine(root), Naming("dev", "me"), list[str]()
        self.staged = list[str]()
        self.parts = [Part(one, self.naming.data_volume(one), "image", "1:1") for one in ("postgres", "redis")]
        self.session = Session(Clone("me", root, root / "home"), {}, None)
        self.engine.images["image"] = "id"
        for part in self.parts:
            self.engine.volumes[part.volume] = self.naming.labels(part.service)
        for service, file in (("app", sealed_secrets.TOKEN_KEYS), ("postgres", installed_secrets.PASSWORD)):
            self.engine.volumes[self.naming.files_volume(service)] = self.naming.labels(service)
            (self.engine.folder(self.naming.files_volume(service)) / file).write_text("secret")
        self.settings = SimpleNamespace(postgres=SimpleNamespace(database=MADE.database, user=MADE.user))
        monkeypatch.setattr(Session, "engine", self.engine.view)
        monkeypatch.setattr(data_parts, "parts_by_config", self._parts_by_config)
        monkeypatch.setattr(store.Store, "read", lambda *_: MADE)
        monkeypatch.setattr(Manifest, "size", 1)
        monkeypatch.setattr(manifest, "verify", lambda *_: None)
        monkeypatch.setattr(locks, "release_dead", lambda *_: self.done.append("wait"))
        monkeypatch.setattr(preflight, "require_possible", lambda *_: self.done.append("preflight"))
        monkeypatch.setattr(restore_snapshot, "_stage", self._stage)
        monkeypatch.setattr(restore_snapshot, "up", lambda *_, **__: self.done.append("up"))
        monkeypatch.setattr(health, "settled", lambda *_, **__: (True, []))

    def _parts_by_config(self, environment: EnvironmentHandle) -> tuple[SimpleNamespace, list[Part]]:
        return self.settings, [replace(one, volume=environment.naming.data_volume(one.service)) for one in self.parts]

    def _stage(self, plan: restore_snapshot._Plan) -> Rekeyed:
        self.done.append("stage")
        self.staged = [one.volume for one in plan.parts]
        return NOTHING

    def restore(self) -> None:
        restore_snapshot.restore(self.session, "dev", "one")


@pytest.fixture
def restoring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Restoring:
    return Restoring(tmp_path, monkeypatch)


@pytest.mark.parametrize("running", [[], ["postgres", "app"]], ids=["down", "a crashed container removed"])
def test_data_on_which_nothing_starts_is_replaced_before_anything_is_started(
    restoring: Restoring, running: list[str]
) -> None:
    for one in running:
        restoring.engine.run(one)
    restoring.restore()
    assert restoring.done == ["wait", "preflight", "stage", "up"]
    assert restoring.engine.states() == dict.fromkeys(running, "running")


def test_services_that_all_run_need_neither_an_update_nor_a_container(
    restoring: Restoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in volume_swap.USERS_OF_DATA:
        restoring.engine.run(one)
    monkeypatch.setattr(restore_snapshot, "helper", Mock(side_effect=AssertionError))
    restoring.restore()
    assert restoring.done == ["wait", "stage"]
    assert restoring.engine.states() == dict.fromkeys(volume_swap.USERS_OF_DATA, "running")


def test_an_update_that_is_refused_keeps_the_data(restoring: Restoring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "require_possible", Mock(side_effect=UserError("Port 8001 is taken.")))
    with pytest.raises(UserError, match="Port 8001"):
        restoring.restore()
    assert restoring.done == ["wait"]


def _lacks_data(of: Restoring) -> None:
    del of.engine.volumes[of.naming.data_volume("redis")]


def _lacks_secrets(of: Restoring) -> None:
    del of.engine.volumes[of.naming.files_volume("app")]


def _lacks_keys(of: Restoring) -> None:
    (of.engine.folder(of.naming.files_volume("app")) / sealed_secrets.TOKEN_KEYS).unlink()


def _lacks_password(of: Restoring) -> None:
    (of.engine.folder(of.naming.files_volume("postgres")) / installed_secrets.PASSWORD).unlink()


def _lacks_image(of: Restoring) -> None:
    of.engine.images.clear()


@pytest.mark.parametrize("harm", [_lacks_data, _lacks_image], ids=["kept in memory until now", "image removed"])
def test_one_that_runs_and_lacks_what_data_is_put_into_is_brought_up_first(
    restoring: Restoring, harm: Callable[[Restoring], None]
) -> None:
    for one in volume_swap.USERS_OF_DATA:
        restoring.engine.run(one)
    harm(restoring)
    restoring.restore()
    assert restoring.done == ["wait", "up", "stage"]


@pytest.mark.parametrize("harm", [_lacks_data, _lacks_secrets, _lacks_keys, _lacks_password, _lacks_image])
def test_an_environment_that_lacks_what_data_is_put_into_is_brought_up_first(
    restoring: Restoring, harm: Callable[[Restoring], None]
) -> None:
    harm(restoring)
    restoring.restore()
    assert restoring.done == ["wait", "up", "stage", "up"]


def test_one_that_is_placed_anew_by_the_update_is_restored_where_it_is_then(
    restoring: Restoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def place(*_: object, **__: object) -> None:
        placements.write(restoring.session.clone, {"dev": Placement(source="dev", name="dev-1a2b")})

    _lacks_data(restoring)
    monkeypatch.setattr(restore_snapshot, "up", Mock(side_effect=place))
    restoring.restore()
    assert restoring.staged == ["postgres_dev-1a2b_data", "redis_dev-1a2b_data"]


def test_a_config_that_is_edited_meanwhile_is_looked_at_again(
    restoring: Restoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def edit(*_: object) -> None:
        restoring.settings.postgres.database = "other"

    monkeypatch.setattr(locks, "release_dead", edit)
    with pytest.raises(UserError, match="The snapshot one doesn't fit dev"):
        restoring.restore()
    assert restoring.done == []


def test_data_of_a_command_that_is_waited_for_gets_a_snapshot(
    restoring: Restoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    volumes, before = {**restoring.engine.volumes}, Mock()
    restoring.engine.volumes.clear()

    @contextmanager
    def held(*_: object) -> Iterator[None]:
        restoring.engine.volumes.update(volumes)
        yield

    monkeypatch.setattr(environment_lock, "held", held)
    monkeypatch.setattr(snapshot_before_loss, "before_replacing", before)
    restore_snapshot.restore(restoring.session, "dev", "one", snapshot=True)
    before.assert_called_once()
