"""What a sequence expects of an update, with an environment that is made up."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from unittest.mock import Mock

import pytest
from docker.errors import NotFound

from bench.campaign import commands, steps
from bench.campaign.checks import Said, Seen
from bench.campaign.ledger import PARTS, Values
from bench.campaign.sequences import Step
from bench.campaign.trial import Trial
from infra.naming import SERVICES

REFUSAL = "Error: No; nothing was changed.\nWhat to do: Nothing.\n"


@dataclass
class MadeUp:
    """An environment that says what it is told to say."""

    said: Said = field(default_factory=lambda: Said("up", 0, ""))
    values: Values = frozenset()
    there: bool = True
    orphan: bool = False
    paused: tuple[str, ...] = ()
    stack: str = "made-up"
    folder: Path = Path("nowhere")

    client: Any = field(default_factory=lambda: Mock(volumes=Mock(get=Mock(side_effect=NotFound("gone")))))

    def container(self, _: str) -> None:
        return None

    def run(self, *_: str, **__: str) -> Said:
        return self.said

    def configure(self, _: dict[str, str]) -> None:
        pass

    def is_up(self, _: object = SERVICES) -> bool:
        return self.there

    def labelled(self) -> dict[str, str]:
        return {"1": "left"} if self.orphan else {}

    def recorded(self) -> set[str]:
        return set()

    def snapshots(self) -> list[str]:
        return []

    def seen(self, strangers: dict[str, Any]) -> Seen:
        return Seen(dict.fromkeys(PARTS, self.values), {*PARTS}, self.paused, strangers)


class Nobody:
    """There is nothing beside it."""

    def look(self) -> dict[str, Any]:
        return {}


@pytest.fixture
def world() -> MadeUp:
    return MadeUp()


@pytest.fixture
def trial(world: MadeUp) -> Trial:
    return Trial(cast("Any", world), cast("Any", Nobody()))


def _do(trial: Trial, text: str) -> list[str]:
    name, *arguments = text.split()
    return steps.do(trial, Step(name, tuple(arguments)))


def test_an_update_that_succeeds_is_healthy_without_orphans(trial: Trial, world: MadeUp) -> None:
    assert _do(trial, "up") == []
    world.there, world.orphan = False, True
    assert _do(trial, "up") == ["up succeeded, and not every service is healthy", "left is an orphan"]


def test_an_invalid_config_must_be_refused(trial: Trial, world: MadeUp) -> None:
    _do(trial, "config invalid app.build=x")
    assert _do(trial, "up") == ["up succeeded in spite of app.build=x"]
    world.said = Said("up", 1, REFUSAL)
    assert _do(trial, "up") == []
    _do(trial, "config-reset")
    assert _do(trial, "up") == [f"up failed with status 1: {REFUSAL}"]


def test_a_refusable_config_leaves_doubts_only_where_something_was_made(trial: Trial, world: MadeUp) -> None:
    _do(trial, "config refusable postgres.user=another")
    world.said = Said("up", 1, REFUSAL)
    assert _do(trial, "up") == []
    _do(trial, "config-reset")
    assert trial.reasons == []
    _do(trial, "config refusable postgres.user=another")
    world.said = Said("up", 0, "")
    assert _do(trial, "up") == []
    _do(trial, "config-reset")
    assert trial.reasons == ["postgres.user"]


def test_what_is_lost_is_found_after_any_step(trial: Trial) -> None:
    trial.ledger.write("cache", "w1")
    assert _do(trial, "config-reset") == ["the cache lacks ['w1']"]


def test_a_snapshot_may_be_refused_as_long_as_the_keys_are_removed(trial: Trial, world: MadeUp) -> None:
    refusal = Said("destroy", 1, REFUSAL)
    world.said = refusal
    assert _do(trial, "destroy") == [f"destroy failed with status 1: {REFUSAL}"]
    _do(trial, "docker-remove-files redis")
    assert _do(trial, "destroy") == [f"destroy failed with status 1: {REFUSAL}"]
    _do(trial, "docker-remove-files app")
    assert _do(trial, "destroy") == []
    world.said = Said("up", 0, "")
    _do(trial, "up")
    world.said = refusal
    assert _do(trial, "destroy") == [f"destroy failed with status 1: {REFUSAL}"]


def test_a_destroy_without_a_snapshot_is_found(trial: Trial, world: MadeUp) -> None:
    world.values = frozenset({"w1"})
    for part in PARTS:
        trial.ledger.write(part, "w1")
    assert commands.run(trial, "destroy") == ["destroy took no snapshot of the data"]


def test_a_command_may_fail_after_damage_until_the_next_update(trial: Trial, world: MadeUp) -> None:
    trial.is_damaged = True
    world.said = Said("seed", 1, REFUSAL)
    assert commands.run(trial, "seed") == []
    world.said = Said("up", 0, "")
    assert _do(trial, "up") == []
    world.said = Said("seed", 1, REFUSAL)
    assert commands.run(trial, "seed") == [f"seed failed with status 1: {REFUSAL}"]


def test_a_service_is_left_paused_only_until_the_update_after_a_snapshot_was_killed_with_its_guard(
    trial: Trial, world: MadeUp
) -> None:
    world.paused = ("/postgres",)
    assert trial.checked([]) == ["/postgres was left paused"]
    trial.may_be_paused = True
    assert trial.checked([]) == []
    assert trial.checked(trial.up()) == ["/postgres was left paused"]
    assert trial.checked([]) == ["/postgres was left paused"]
