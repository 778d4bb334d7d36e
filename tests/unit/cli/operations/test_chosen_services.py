from __future__ import annotations

from typing import TYPE_CHECKING, cast
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.core.errors import USAGE, UserError
from cli.environments import placements
from cli.environments.allocation import Allocator
from cli.operations.chosen_services import with_needed
from cli.operations.up import up
from infra.naming import NEEDS, SERVICES
from tests.unit.cli.world import CONFIG, World, make_world

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from cli.operations.session import Session


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_home: Path) -> World:
    data_home.mkdir(parents=True)
    return make_world(tmp_path, monkeypatch, "dev")


def chosen(world: World) -> tuple[str, ...]:
    return placements.of(world.clone, "dev").services


@given(st.sets(st.sampled_from(SERVICES)), st.booleans())
def test_what_a_service_needs_comes_with_it(services: Collection[str], sandbox: bool) -> None:
    available = [one for one in SERVICES if sandbox or one != "sandbox"]
    asked = {*services}.intersection(available)
    found = with_needed(asked, available)
    assert set(found) >= asked
    assert set(found) <= set(available)
    assert all(other in found for one in found for other in NEEDS[one] if other in available)
    # No more than that: what no other one needs was asked for.
    needed = {other for one in found for other in NEEDS[one]}
    assert not asked or set(found) - needed <= asked


def test_a_choice_is_recorded_and_ends_with_a_choice_of_all(world: World) -> None:
    session = cast("Session", world)
    up(session, "dev", services=["redis", "postgres"])
    assert chosen(world) == ("postgres", "redis")
    up(session, "dev")
    assert chosen(world) == ("postgres", "redis")
    up(session, "dev", services=[])
    assert chosen(world) == ()


def test_a_choice_of_all_is_none(world: World) -> None:
    up(cast("Session", world), "dev", services=["callback"])
    assert chosen(world) == ()


def test_a_choice_is_more_than_what_was_proven(world: World) -> None:
    session = cast("Session", world)
    up(session, "dev")
    before = len(world.updates)
    up(session, "dev", services=["postgres"])
    assert len(world.updates) == before + 1


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("postgers", "dev has no service 'postgers'"),
        ("sandbox", "dev has no service 'sandbox'"),
        ("dev", "dev is an environment, and comes after a service"),
    ],
)
def test_what_is_not_a_service_is_refused_before_anything(
    world: World, monkeypatch: pytest.MonkeyPatch, service: str, said: str
) -> None:
    monkeypatch.setattr("cli.operations.chosen_services.configured_stacks", lambda: ["dev"])
    with pytest.raises(UserError, match=said) as raised:
        up(cast("Session", world), "dev", services=["postgres", service])
    assert raised.value.exit_status == USAGE
    assert (world.updates, chosen(world)) == ([], ())


def test_a_refused_choice_is_not_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    session = cast("Session", world)
    up(session, "dev", services=["postgres"])
    monkeypatch.setattr("cli.operations.preflight.require_free", Mock(side_effect=UserError("Port 8000 is taken.")))
    with pytest.raises(UserError, match="Port 8000"):
        up(session, "dev", services=[])
    assert (len(world.updates), chosen(world)) == (1, ("postgres",))


def test_a_choice_that_one_environment_has_no_place_for_is_made_for_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    allocate = Allocator.allocate

    def refuse(allocator: Allocator, stack: str) -> object:
        if stack == "test":
            raise UserError("No free ports.")
        return allocate(allocator, stack)

    (world.root / "Pulumi.test.yaml").write_text(CONFIG)
    monkeypatch.setattr(Allocator, "allocate", refuse)
    with pytest.raises(UserError, match="No free ports"):
        up(cast("Session", world), "dev", "test", services=["postgres"])
    assert (world.updates, chosen(world)) == ([], ())


def test_nothing_is_chosen_for_one_environment_if_another_lacks_the_service(world: World) -> None:
    (world.root / "Pulumi.test.yaml").write_text(
        CONFIG.replace("{oauth", "{debug: true, oauth") + "  dashtam:sandbox: {enabled: true}\n"
    )
    with pytest.raises(UserError, match="dev has no service 'sandbox'"):
        up(cast("Session", world), "test", "dev", services=["sandbox"])
    assert placements.recorded(world.clone) == {}


def test_a_port_is_not_needed_for_what_does_not_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    monkeypatch.setattr("cli.environments.free_ports.is_bound", lambda port, _: port in taken)
    (world.root / "Pulumi.dev.yaml").write_text(CONFIG.replace("{oauth", "{port: 8000, oauth"))
    taken.append(8000)
    session = cast("Session", world)
    up(session, "dev", services=["postgres", "redis"])
    with pytest.raises(UserError, match="Port 8000, which dev needs for app, is taken"):
        up(session, "dev", services=["app"])
