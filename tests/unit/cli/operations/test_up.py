from __future__ import annotations

import threading
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, cast
from unittest.mock import Mock

import pytest
from docker.errors import APIError
from filelock import FileLock, Timeout
from requests import Timeout as RequestTimeout

from cli.core.errors import UserError
from cli.operations.down import down
from cli.operations.up import up
from cli.pulumi.stack_state import VOLUME, Resource
from infra.naming import OWNER_LABEL
from tests.unit.cli.backend import Backend
from tests.unit.cli.conftest import HEALTHY
from tests.unit.cli.world import World, make_world
from tests.unit.infra.test_outputs import DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.operations.session import Session


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return make_world(tmp_path, monkeypatch, "dev", "test")


def session(world: World) -> Session:
    return cast("Session", world)


def is_free(world: World, stack: str) -> bool:
    """Return whether no command holds an environment."""
    try:
        with FileLock(world.clone.home / f"{stack}.lock", timeout=0, is_singleton=False):
            return True
    except Timeout:
        return False


def test_environments_come_up_and_go_down_together(world: World) -> None:
    assert [one.environment for one in up(session(world), "test", "dev")] == ["test", "dev"]
    assert world.up.keys() == {"dev", "test"}
    assert [stack for stack in ("dev", "test") if not is_free(world, stack)] == []
    down(session(world), "dev", "test")
    assert (world.up, world.asked_to_stop) == ({}, ["id-dev", "id-test"])


@pytest.mark.parametrize("error", [APIError("a removal is under way"), RequestTimeout("no answer")])
def test_containers_that_can_not_be_asked_to_stop_are_left_to_pulumi(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    up(session(world), "dev")
    monkeypatch.setattr(World, "ask_to_stop", Mock(side_effect=error))
    down(session(world), "dev")
    assert world.up == {}


def test_nothing_more_is_asked_to_stop_once_down_is_interrupted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    up(session(world), "dev", "test")
    asked, ended = threading.Event(), threading.Event()

    def update(*_: object, **__: object) -> bool:
        asked.wait()
        raise KeyboardInterrupt

    def ask_to_stop(self: World, container: str) -> None:
        self.asked_to_stop.append(container)
        asked.set()
        ended.wait()

    monkeypatch.setattr(World, "update", update)
    monkeypatch.setattr(World, "ask_to_stop", ask_to_stop)
    with pytest.raises(KeyboardInterrupt):
        down(session(world), "dev", "test")
    ended.set()
    for thread in threading.enumerate():
        if thread.daemon and thread.name.endswith("(ask)"):
            thread.join()
    assert world.asked_to_stop == ["id-dev"]


def test_down_keeps_all_but_services_and_networks(world: World) -> None:
    up(session(world), "dev")
    down(session(world), "dev")
    targets = {flag for flag in world.updates[-1] if flag.startswith("--target=")}
    assert targets == {
        "--target=urn:pulumi:**$dashtam:index:*$docker:index/container:Container::**",
        "--target=urn:pulumi:**$docker:index/service:Service::**",
        "--target=urn:pulumi:**$docker:index/network:Network::**",
    }


def test_what_runs_beside_the_services_is_removed_before_their_network(world: World) -> None:
    up(session(world), "dev")
    world.guests["dev"] = replace(HEALTHY, id="id-tests", component="tests", stack="dev")
    down(session(world), "dev")
    assert (world.up, world.guests) == ({}, {})


def test_an_unknown_environment_stops_all_before_anything_is_done(world: World) -> None:
    with pytest.raises(UserError, match="nowhere"):
        up(session(world), "dev", "nowhere")
    with pytest.raises(UserError, match="nowhere"):
        down(session(world), "dev", "nowhere")
    assert world.updates == []


def test_a_config_that_pulumi_can_not_read_is_named_before_anything_stops(world: World) -> None:
    up(session(world), "dev", "test")
    (world.root / "Pulumi.dev.yaml").write_text("config: {a:b: 1, a:b: 2}")
    before = list(world.updates)
    with pytest.raises(UserError, match=r"Pulumi\.dev\.yaml is not valid") as raised:
        down(session(world), "test", "dev")
    assert raised.value.cause.startswith("line 1: a:b is there already")
    assert (world.updates, set(world.up)) == (before, {"dev", "test"})


@pytest.mark.parametrize("mounts", [True, False])
def test_what_an_engine_can_t_mount_is_refused_before_images_are_made_for_it(world: World, *, mounts: bool) -> None:
    world.mounts = mounts
    config = world.root / "Pulumi.dev.yaml"
    config.write_text(config.read_text().replace("{oauth", "{build: development, oauth"))
    with nullcontext() if mounts else pytest.raises(UserError, match="can't mount"):
        up(session(world), "dev")
    assert (world.has_images, bool(world.updates)) == (mounts, mounts)


def test_one_that_fails_doesn_t_keep_the_other_down(world: World) -> None:
    world.fails = {"dev"}
    with pytest.raises(UserError, match="dev"):
        up(session(world), "dev", "test")
    assert world.up.keys() == {"test"}
    assert [stack for stack in ("dev", "test") if not is_free(world, stack)] == []


@pytest.mark.parametrize("command", [up, down])
def test_another_clones_is_left_alone(world: World, command: Callable[..., object]) -> None:
    up(session(world), "dev")
    before = dict(world.up), list(world.updates)
    labels = [{"label": OWNER_LABEL, "value": "another"}]
    theirs = Resource(VOLUME, "postgres-data", "postgres_dev_data", outputs={"name": "v", "labels": labels})
    Backend(world.root / "state").write("dev", [theirs])
    with pytest.raises(UserError, match="dev is another clone's"):
        command(session(world), "dev")
    assert (world.up, world.updates) == before
    assert is_free(world, "dev")


def test_what_is_lost_from_the_engine_is_refreshed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    up(session(world), "dev")
    assert "--refresh" not in world.updates[-1]
    monkeypatch.setattr(world, "containers", lambda *_: [])
    down(session(world), "dev")
    assert "--refresh" in world.updates[-1]


def test_resources_to_replace_are_named_to_pulumi(world: World) -> None:
    up(session(world), "dev", replace=["urn:one"])
    assert "--replace=urn:one" in world.updates[-1]


def test_clients_find_the_ca_of_now_where_they_were_given_one(world: World) -> None:
    given = world.clone.home / "ca/dev.crt"
    given.parent.mkdir()
    given.write_text("an earlier one")
    up(session(world), "dev", "test")
    assert given.read_text() == DOCUMENT["ca_certificate"]
    assert list(given.parent.iterdir()) == [given]


def test_one_that_is_unhealthy_is_reported_with_its_last_lines(world: World) -> None:
    world.health = "unhealthy"
    with pytest.raises(UserError) as raised:
        up(session(world), "dev")
    assert "last words of id-dev" in f"{raised.value} {raised.value.cause}"
    assert is_free(world, "dev")


def test_no_other_command_changes_an_environment_meanwhile(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    free: list[bool] = []
    update = world.update

    def watched(command: str, stack: str, *flags: str, **callbacks: object) -> bool:
        free.extend(is_free(world, one) for one in ("dev", "test"))
        return update(command, stack, *flags, **callbacks)

    monkeypatch.setattr(world, "update", watched)
    up(session(world), "dev")
    down(session(world), "dev")
    assert free == [False, True] * 2
