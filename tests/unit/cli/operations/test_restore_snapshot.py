"""A snapshot is restored completely, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from cli.core.errors import UserError
from cli.data.snapshots import store
from cli.data.snapshots.helper import Part
from cli.data.snapshots.manifest import Manifest
from cli.environments.clone import Clone
from cli.operations import data_parts, restore_snapshot
from infra.naming import Naming

if TYPE_CHECKING:
    from pathlib import Path

    from cli.operations.session import Session

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
    monkeypatch.setattr(data_parts, "of", lambda *_: (settings, naming, found))
    monkeypatch.setattr(store.Store, "read", lambda *_: MADE)
    session = cast("Session", SimpleNamespace(client=None, clone=Clone("me", tmp_path, tmp_path / "home")))
    with pytest.raises(UserError, match=r"The snapshot one doesn't fit dev; nothing was changed") as raised:
        restore_snapshot.restore(session, "dev", "one")
    assert cause in raised.value.cause
