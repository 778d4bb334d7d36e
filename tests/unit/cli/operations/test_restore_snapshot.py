"""A snapshot is restored completely, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from cli.core.errors import UserError
from cli.data import restore_journal
from cli.data.restore_journal import Entry, Phase
from cli.data.snapshots import store
from cli.data.snapshots.helper import Part
from cli.data.snapshots.manifest import Manifest
from cli.environments.clone import Clone
from cli.environments.handle import EnvironmentHandle
from cli.operations import data_parts, restore_snapshot
from cli.operations.session import Session
from infra.naming import Naming
from tests.unit.cli.engine_double import Engine

if TYPE_CHECKING:
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
