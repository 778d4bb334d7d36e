from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from cli.core.errors import UserError
from cli.engine.inventory import EngineView
from cli.engine.tasks import Document
from cli.environments import clone, ownership
from cli.environments.clone import Clone
from cli.pulumi.stack_state import VOLUME, Resource, StackState
from infra import engine, guards
from infra.config.settings import StackSettings, load_document
from infra.guards import Wanted
from infra.naming import Naming
from tests.unit.cli.world import empty_engine

NAMING = Naming("dev", "me")
STACK = "pulumi:pulumi:Stack"


def _listed(*volumes: tuple[str, dict[str, str] | None]) -> list[Document]:
    return [{"Name": name, "Labels": labels} for name, labels in volumes]


def _state(*names: str, owner: str = "me") -> StackState:
    labels = [{"label": key, "value": value} for key, value in Naming("dev", owner).labels("postgres").items()]
    return StackState([Resource(VOLUME, name, name, outputs={"name": name, "labels": labels}) for name in names])


def _config(storage: str) -> StackSettings:
    persistence = "aof" if storage == "volume" else "none"
    return load_document(
        "dev",
        {
            "dashtam:postgres": {"database": "d", "user": "u", "storage": storage},
            "dashtam:redis": {"storage": storage, "persistence": persistence},
            "dashtam:app": {"oauth_redirect_uri": "https://127.0.0.1:8182"},
        },
    )


@pytest.mark.parametrize(
    ("volume", "labels", "recorded", "counts"),
    [
        ("postgres_dev_data", NAMING.labels("postgres"), True, True),
        ("postgres_dev_data", NAMING.labels("postgres"), False, True),
        ("postgres_old_data", Naming("old", "me").labels("postgres"), True, True),
        ("postgres_dev_data", None, True, False),
        ("postgres_dev_data", Naming("dev", "another").labels("postgres"), True, False),
        ("postgres_dev_data", None, False, False),
        ("postgres_dev-1a2b_data", NAMING.labels("postgres"), False, True),
        ("postgres_dev_data", Naming("dev", "another").labels("postgres"), False, False),
        ("postgres_test_data", Naming("test", "me").labels("postgres"), False, False),
        ("dashtam-dev-app-files", NAMING.labels("app"), True, False),
        ("0123abcd", NAMING.labels("tests"), False, False),
    ],
)
def test_data_is_in_own_volumes_of_the_state_or_the_environment(
    volume: str, labels: dict[str, str] | None, recorded: bool, counts: bool
) -> None:
    state = _state(volume) if recorded else _state()
    assert ownership.data(_listed((volume, labels)), "dev", "me", state) == ({volume} if counts else set())


def test_what_is_gone_holds_nothing() -> None:
    assert ownership.data([], "dev", "me", _state("postgres_dev_data")) == set()


CLONE = Clone("me", Path("/no/such/folder"), Path("/no/such/folder"))
"""One whose environments are on an engine."""


def _require(storage: str, state: StackState, *volumes: str) -> None:
    api = empty_engine()
    api.volumes = lambda: {"Volumes": _listed(*((name, NAMING.labels("postgres")) for name in volumes))}
    wanted = Wanted(NAMING, _config(storage))
    ownership.require(CLONE, EngineView(Mock(api=api)), wanted, state, lambda: False)


@pytest.mark.parametrize("recorded", [True, False])
def test_data_that_is_no_longer_wanted_is_refused_in_the_state_or_labelled(recorded: bool) -> None:
    state = _state("postgres_dev_data") if recorded else _state()
    _require("volume", state, "postgres_dev_data")
    _require("tmpfs", _state())
    with pytest.raises(UserError, match="postgres_dev_data, which its config no longer asks for") as raised:
        _require("tmpfs", state, "postgres_dev_data")
    assert "./dashtam destroy dev" in raised.value.remedy


@pytest.mark.parametrize("name", ["postgres_dev_data", "dashtam-dev-app-files"])
@pytest.mark.parametrize(
    ("labels", "whose"),
    [
        (None, "lacks this project's labels"),
        ({"dashtam.owner": ""}, "lacks this project's labels"),
        (Naming("dev", "known").labels("postgres"), "belongs to another clone in /home/ada/dashtam"),
        (Naming("dev", "gone").labels("postgres"), "belongs to another clone"),
    ],
)
def test_a_removal_that_would_delete_a_volume_of_others_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, labels: dict[str, str] | None, whose: str
) -> None:
    known = {"known": Clone("known", Path("/home/ada/dashtam"), Path("/home"))}
    monkeypatch.setattr(clone, "known", known.get)
    urn = f"urn:pulumi:dev::dashtam::docker:index/volume:Volume::{name}"
    state = StackState([Resource(VOLUME, name, name, urn)])
    with pytest.raises(UserError, match=f"dev can't be removed: the volume {name} is not its own") as raised:
        ownership.require_own_volumes(_listed((name, labels)), CLONE, "dev", state)
    assert raised.value.cause.endswith(f"has this name now {whose}.")
    assert f"pulumi state delete --stack dev --force --target-dependents --yes {urn}`" in raised.value.remedy


@pytest.mark.parametrize(
    "volumes",
    [
        [],
        [("postgres_dev_data", NAMING.labels("postgres"))],
        [("postgres_dev_data", Naming("old", "me").labels("postgres"))],
        [("postgres_test_data", None)],
    ],
    ids=["removed", "own", "renamed", "another name"],
)
def test_a_removal_of_own_volumes_is_not_refused(volumes: list[tuple[str, dict[str, str] | None]]) -> None:
    ownership.require_own_volumes(_listed(*volumes), CLONE, "dev", _state("postgres_dev_data"))


def test_another_engine_is_refused() -> None:
    state = StackState(
        [*_state("postgres_dev_data").resources, Resource(STACK, "s", "", outputs={"engine": "another"})]
    )
    client = Mock(api=empty_engine())
    assert guards.is_elsewhere(ownership.made(state), engine.take_inventory(client))
    assert not guards.is_elsewhere(ownership.made(_state("postgres_dev_data")), engine.take_inventory(client))
    with pytest.raises(UserError, match="dev is on another Docker engine"):
        ownership.require_engine(client, CLONE, "dev", state)


def test_another_clones_state_is_refused(tmp_path: Path) -> None:
    here = Clone("me", tmp_path, tmp_path)
    ownership.require_own(here, "dev", _state("postgres_dev_data"))
    with pytest.raises(UserError, match="another clone's") as raised:
        ownership.require_own(here, "dev", _state("postgres_dev_data", owner="another"))
    assert raised.value.remedy
