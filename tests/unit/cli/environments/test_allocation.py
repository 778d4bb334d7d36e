from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.engine.inventory import EngineObject, EngineView
from cli.environments import clone as clones
from cli.environments import free_ports, placements
from cli.environments.allocation import Allocator
from cli.environments.clone import Clone
from infra.config.placement import Placement, plain
from infra.naming import Naming
from tests.unit.cli.conftest import noticed

CONFIG = """\
config:
  dashtam:postgres: {database: d, user: u, port: 5432}
  dashtam:app: {port: 8000, oauth_redirect_uri: "https://127.0.0.1:8182"}
"""
OWN = ("postgres", "app")


class FakeView(EngineView):
    """An engine that holds some names."""

    is_here = True

    def __init__(self, held: Iterable[EngineObject] = ()) -> None:
        self.held = list(held)

    def publishes_here(self) -> bool:
        return self.is_here

    def objects(self) -> list[EngineObject]:
        return self.held

    def all_containers(self) -> list[EngineObject]:
        return [one for one in self.held if one.kind == "container"]


@pytest.fixture(autouse=True)
def _quiet_machine(monkeypatch: pytest.MonkeyPatch, data_home: Path) -> None:
    """What this machine happens to listen on is no matter here."""
    assert not data_home.exists()
    monkeypatch.setattr(free_ports, "is_bound", lambda *_: False)


def _clone(folder: Path, name: str) -> Clone:
    root = folder / name
    root.mkdir()
    for stack in ("dev", "test"):
        (root / f"Pulumi.{stack}.yaml").write_text(CONFIG)
    return clones.current(root)


@pytest.fixture
def here(tmp_path: Path) -> Clone:
    return _clone(tmp_path, "here")


@pytest.fixture
def other(tmp_path: Path) -> Clone:
    return _clone(tmp_path, "other")


def _settle(clone: Clone, *held: EngineObject, stack: str = "dev", source: str = "") -> tuple[Placement, list[str]]:
    return noticed(lambda: Allocator(clone, FakeView(held)).allocate(stack, source))


def _container(name: str, owner: str, *ports: int) -> EngineObject:
    return EngineObject("container", name, owner, frozenset(ports))


def test_the_first_clone_has_the_plain_place(here: Clone) -> None:
    assert _settle(here) == (plain("dev"), [])
    assert placements.of(here, "dev") == plain("dev")


def test_a_second_clone_gets_its_own_place_and_is_told_once(here: Clone, other: Clone) -> None:
    _settle(other)
    chosen, [said] = _settle(here)
    assert chosen.name == f"dev-{here.id[:4]}"
    assert set(chosen.ports) == set(OWN)
    assert not {8000, 5432} & {*chosen.ports.values()}
    assert f"this clone's is called {chosen.name}, with ports of its own: " in said
    assert all(f"{service} {port}" in said for service, port in chosen.ports.items())
    assert "\n" not in said
    assert _settle(here) == (chosen, [])


def test_a_place_is_kept_when_the_first_clone_is_gone(here: Clone, other: Clone) -> None:
    _settle(other)
    chosen, _ = _settle(here)
    placements.choose(here, "dev", ("postgres",))
    placements.choose(other, "dev", ("postgres",))
    placements.release(other, "dev")
    placements.release(here, "dev")
    assert placements.of(other, "dev").services == ()
    assert _settle(here) == (chosen, [])


def test_the_plain_place_is_free_again_once_it_was_released(here: Clone, other: Clone) -> None:
    _settle(other)
    placements.release(other, "dev")
    assert _settle(here) == (plain("dev"), [])


def test_a_clone_that_was_deleted_claims_nothing(here: Clone, other: Clone) -> None:
    _settle(other)
    for file in other.root.iterdir():
        file.unlink()
    assert _settle(here) == (plain("dev"), [])


@pytest.mark.parametrize("held", [_container("dashtam-dev-redis", ""), _container("a", "", 8000)])
def test_what_a_deleted_clone_left_is_told_with_how_to_remove_it(
    here: Clone, other: Clone, tmp_path: Path, held: EngineObject
) -> None:
    left = replace(held, owner=other.id)
    assert len(_settle(_clone(tmp_path, "third"), left)[1]) == 1
    other.root.rename(tmp_path / "deleted")
    _, said = _settle(here, left)
    assert f"`./dashtam clean --clone {other.id}`" in said[1]


@pytest.mark.parametrize(
    "held",
    [
        _container("dashtam-dev-redis", "stranger"),
        EngineObject("volume", "postgres_dev_data", "stranger"),
        EngineObject("network", "dashtam-dev-network", "stranger"),
        _container("dashtam-mine-app", "stranger", 8000),
    ],
)
def test_what_left_no_record_is_seen_on_the_engine(here: Clone, held: EngineObject) -> None:
    chosen, said = _settle(here, held)
    assert not chosen.is_plain("dev")
    assert len(said) == 1


@pytest.mark.parametrize(
    "held", [_container("dashtam-dev-redis", ""), _container("web", "", 8000), _container("dashtam-test-app", "x")]
)
def test_what_is_not_ours_is_left_to_be_told_of(here: Clone, held: EngineObject) -> None:
    assert _settle(here, held) == (plain("dev"), [])


def test_an_environment_from_before_there_were_records_stays(here: Clone, other: Clone) -> None:
    _settle(other)
    assert _settle(here, EngineObject("volume", "postgres_dev_data", here.id)) == (plain("dev"), [])


def test_what_is_recorded_is_never_renamed(here: Clone) -> None:
    _settle(here)
    assert _settle(here, _container("dashtam-dev-app", "stranger", 8000)) == (plain("dev"), [])


def test_a_further_environment_has_its_name_and_ports_of_its_own(here: Clone) -> None:
    chosen, said = _settle(here, stack="feature-x", source="dev")
    assert (chosen.source, chosen.name, set(chosen.ports)) == ("dev", "feature-x", set(OWN))
    assert said == []


def test_two_clones_may_have_further_environments_of_one_name(here: Clone, other: Clone) -> None:
    first, _ = _settle(other, stack="feature-x", source="dev")
    second, said = _settle(here, stack="feature-x", source="dev")
    assert second.name == f"feature-x-{here.id[:4]}"
    assert not {*first.ports.values()} & {*second.ports.values()}
    assert len(said) == 1


def test_many_environments_share_nothing(here: Clone, other: Clone) -> None:
    made = [
        _settle(clone, stack=f"feature-{number}", source=source)[0]
        for clone in (here, other)
        for source in ("dev", "test")
        for number in (f"{source}-{count}" for count in range(5))
    ]
    ports = [port for one in made for port in one.ports.values()]
    assert len({one.name for one in made}) == len(made)
    assert len(set(ports)) == len(ports) == len(made) * len(OWN)


def test_the_longest_name_still_leaves_room_for_the_clones(here: Clone, other: Clone) -> None:
    stack = "x" * 34 + "-" * 5 + "y"
    Naming(stack, "me")
    _settle(other, stack=stack, source="dev")
    chosen, _ = _settle(here, stack=stack, source="dev")
    assert chosen.name == f"{'x' * 34}-{here.id[:4]}"
    Naming(stack, "me", chosen.name)


def test_names_that_are_held_are_passed_over(here: Clone, other: Clone) -> None:
    _settle(other)
    chosen, _ = _settle(here, EngineObject("network", f"dashtam-dev-{here.id[:4]}-network", ""))
    assert chosen.name == f"dev-{here.id[:6]}"


def test_when_all_names_are_held_it_says_so(here: Clone, other: Clone) -> None:
    _settle(other)
    held = [EngineObject("network", f"dashtam-dev-{here.id[:digits]}-network", "") for digits in (4, 6, 8, 10)]
    with pytest.raises(UserError, match="no free name for dev"):
        _settle(here, *held)


def test_ports_that_are_bound_or_published_are_passed_over(here: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = _settle(here, stack="feature-x", source="dev")
    placements.release(here, "feature-x")
    again, _ = _settle(here, stack="feature-x", source="dev")
    assert again == first
    placements.release(here, "feature-x")
    bound = first.ports["app"]
    monkeypatch.setattr(free_ports, "is_bound", lambda port, _: port == bound)
    second, _ = _settle(here, stack="feature-x", source="dev")
    placements.release(here, "feature-x")
    published = _container("web", "", second.ports["postgres"])
    third, _ = _settle(here, published, stack="feature-x", source="dev")
    assert len({one.ports["app"] for one in (first, second, third)}) == 3


def test_a_service_that_comes_to_publish_gets_a_port_and_the_others_keep_theirs(here: Clone) -> None:
    (here.root / "Pulumi.dev.yaml").write_text(CONFIG.replace(", port: 5432", ""))
    before, _ = _settle(here, stack="feature-x", source="dev")
    (here.root / "Pulumi.feature-x.yaml").symlink_to("Pulumi.dev.yaml")
    (here.root / "Pulumi.dev.yaml").write_text(CONFIG)
    after, said = _settle(here, stack="feature-x")
    assert set(before.ports) == {"app"}
    assert after.ports == {**before.ports, "postgres": after.ports["postgres"]}
    assert placements.of(here, "feature-x") == after
    assert said == []


def test_looking_for_plain_pulumi_claims_nothing(here: Clone, other: Clone) -> None:
    Allocator(other, FakeView()).give_way("dev")
    assert placements.recorded(other) == {}
    _settle(here)
    _, said = noticed(lambda: Allocator(other, FakeView()).give_way("dev"))
    assert placements.of(other, "dev").name == f"dev-{other.id[:4]}"
    assert len(said) == 1


def test_a_record_that_cannot_be_read_is_told_in_its_own_clone_alone(here: Clone, other: Clone) -> None:
    other.placements_file.write_text("{half")
    assert _settle(here) == (plain("dev"), [])
    with pytest.raises(UserError, match=r"placements\.json can't be read"):
        _settle(other)


def test_a_wrong_config_changes_nothing(here: Clone) -> None:
    (here.root / "Pulumi.dev.yaml").write_text("config: {}")
    with pytest.raises(UserError, match=r"Pulumi\.dev\.yaml is not valid"):
        _settle(here)
    assert not here.placements_file.exists()


def test_releasing_what_is_not_recorded_is_nothing(here: Clone) -> None:
    _settle(here)
    placements.release(here, "test")
    assert json.loads(here.placements_file.read_text()).keys() == {"dev"}
