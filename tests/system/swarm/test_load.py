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
    from tests.system.swarm.load import Load, Tally, Target
    from tests.system.swarm.staging import Staging

REQUESTS = 100_000
PART = 2_000
"""Before and after what happens to the environment, at least; most requests are made meanwhile."""


@pytest.fixture
def report(request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]) -> Callable[[Tally], None]:
    """Show the figures, whether the test passes or not."""

    def show(tally: Tally) -> None:
        with capfd.disabled():
            sys.stdout.write(f"\n{request.node.name}: {tally}\n")

    return show


def test_updates_and_a_drained_node_cost_no_request_and_a_lost_one_what_was_in_flight_on_it(
    staging: Staging, target: Target, report: Callable[[Tally], None]
) -> None:
    with load(target) as people:
        try:
            people.wait(PART)
            for memory in ("300m", "310m", "320m"):
                staging.configure(app={"memory": memory})
                staging.up()
                people.wait(PART)
            drain(staging, people)
            failed_before = [*people.tally.failures]
            lost_at = lose_a_node(staging, people)
            people.wait(max(PART, REQUESTS - people.tally.requests), seconds=600)
        finally:
            report(people.tally)
    assert failed_before == []
    # Each person has one request in flight.
    assert len(people.tally.failures) <= len(target.people)
    assert [one for one in people.tally.failures if one.began > lost_at] == []
    assert people.tally.requests >= REQUESTS
    assert people.tally.answered["POST 201"] > 100


def drain(staging: Staging, people: Load) -> None:
    """Drain a node that runs the app, and let it run services again."""
    lab, node = staging.lab, busiest(staging)
    lab.manager.docker("node", "update", "--availability", "drain", node.name)
    try:
        wait_until(lambda: not _runs_on(staging, node), f"nothing of {staging.name} is left on it", 120)
        staging.settle()
        people.wait(PART)
    finally:
        lab.manager.docker("node", "update", "--availability", "active", node.name)


def lose_a_node(staging: Staging, people: Load) -> float:
    """Lose a node that runs the app, and get it back; return when it was lost for sure."""
    lab, node = staging.lab, busiest(staging)
    try:
        node.kill()
        lost_at = time.monotonic()
        wait_until(lambda: lab.states()[node.name] == "Down", f"{node.name} is taken for lost", 90)
        staging.settle()
        people.wait(PART)
    finally:
        node.restart()
    wait_until(lambda: lab.states()[node.name] == "Ready", f"{node.name} is back", 90)
    return lost_at


def busiest(staging: Staging) -> Node:
    """Return the node, other than that of the data, with most replicas of the app: one at least."""
    nodes = [task["Node"] for task in staging.tasks("app")]
    found = max(staging.lab.nodes[1:], key=lambda node: nodes.count(node.name))
    assert found.name in nodes
    return found


def _runs_on(staging: Staging, node: Node) -> bool:
    return any(task["Node"] == node.name for name in ("app", "callback") for task in staging.tasks(name))
