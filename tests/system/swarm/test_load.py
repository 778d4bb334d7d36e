"""What people notice of updates, of a drained node, and of a lost one: at most what was in flight on it."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.system.running import wait_until
from tests.system.swarm.load import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.system.swarm.lab import Node
    from tests.system.swarm.load import Tally, Target
    from tests.system.swarm.staging import Staging

REQUESTS = 100_000
PART = 2_000
"""Before and after what happens to the environment, at least; most requests are made meanwhile."""
PEOPLE = 24


@pytest.fixture
def report(request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]) -> Callable[[Tally], None]:
    """Show the figures, whether the test passes or not."""

    def show(tally: Tally) -> None:
        with capfd.disabled():
            sys.stdout.write(f"\n{request.node.name}: {tally}\n")

    return show


def test_updates_and_a_drained_node_cost_no_request(
    staging: Staging, target: Target, report: Callable[[Tally], None]
) -> None:
    drained = staging.lab.nodes[2]
    with load(target, PEOPLE) as people:
        people.wait(PART)
        for memory in ("300m", "310m", "320m"):
            staging.configure(app={"memory": memory})
            staging.up()
            people.wait(PART)
        staging.lab.manager.docker("node", "update", "--availability", "drain", drained.name)
        try:
            wait_until(lambda: not _runs_on(staging, drained), f"nothing of {staging.name} is left on it", 120)
            staging.settle()
            people.wait(max(PART, REQUESTS - people.tally.requests), seconds=600)
        finally:
            staging.lab.manager.docker("node", "update", "--availability", "active", drained.name)
    report(people.tally)
    assert people.tally.failures == []
    assert people.tally.requests >= REQUESTS
    assert people.tally.answered["POST 201"] > 100


def test_a_lost_node_costs_what_was_in_flight_on_it_at_most(
    staging: Staging, target: Target, report: Callable[[Tally], None]
) -> None:
    lost = max(staging.lab.nodes[1:], key=lambda node: _replicas_on(staging, node))
    assert _replicas_on(staging, lost) > 0
    with load(target, PEOPLE) as people:
        people.wait(PART)
        try:
            lost.kill()
            killed = time.monotonic()
            wait_until(lambda: staging.lab.states()[lost.name] == "Down", f"{lost.name} is taken for lost", 90)
            staging.settle()
            people.wait(PART)
        finally:
            lost.restart()
        wait_until(lambda: staging.lab.states()[lost.name] == "Ready", f"{lost.name} is back", 90)
        people.wait(PART)
    report(people.tally)
    # Each person has one request in flight.
    assert len(people.tally.failures) <= PEOPLE
    assert [one for one in people.tally.failures if one.began > killed] == []


def _replicas_on(staging: Staging, node: Node) -> int:
    return sum(task["Node"] == node.name for task in staging.tasks("app"))


def _runs_on(staging: Staging, node: Node) -> bool:
    return any(task["Node"] == node.name for name in ("app", "callback") for task in staging.tasks(name))
