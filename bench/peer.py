"""How long `up` and `down` take beside Docker Compose with the same services, images, checks and data volumes.

    .venv/bin/python -m bench.peer --rounds 10

It makes an environment of its own in a copy of this checkout, exports it as a compose file, and removes both. Each
round runs both sides, one after the other in turn, so that what else the machine does falls on both alike. Compose
finds certificates and secrets installed, which `./dashtam up` does itself. It must be version 2, whose `up --wait` ends
when all is healthy, as `./dashtam up` does.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import docker

from tests.system import checkout as checkouts
from tests.system.checkout import Checkout
from tests.system.commands.additional import beside
from tests.system.commands.composing import Compose
from tests.system.running import succeed

Run = Callable[..., subprocess.CompletedProcess[str]]
Steps = Mapping[str, Callable[[], subprocess.CompletedProcess[str]]]

UP, AGAIN, DOWN = "up", "up, nothing to do", "down"
"""Containers and network are made, with images and data there; they are there; they are removed, without the data."""


def main() -> None:
    """Measure, and print what each step took on both sides, in seconds."""
    parser = argparse.ArgumentParser(description="Times `up` and `down` beside Docker Compose.")
    parser.add_argument("--rounds", type=int, default=10, choices=range(1, 101), metavar="1..100")
    parser.add_argument("--like", default="dev", choices=("dev", "test", "ci"), help="whose config it has")
    parser.add_argument("--beside", type=int, default=0, choices=range(11), metavar="0..10", help="others that are up")
    parser.add_argument("--compose", nargs="+", default=["docker", "compose"], help="how Compose is started")
    chosen = parser.parse_args()
    client = docker.from_env()
    with (
        tempfile.TemporaryDirectory() as folder,
        checkouts.brought_up(client, Path(folder) / "copy", like=chosen.like) as checkout,
        ExitStack() as others,
    ):
        for number in range(chosen.beside):
            others.enter_context(beside(checkout, client, str(number))).up()
        file = Path(folder) / "compose.yaml"
        succeed(checkout.dashtam("export", "compose", checkout.stack, "--output", str(file)))
        succeed(checkout.dashtam("down", checkout.stack))
        compose = partial(Compose(chosen.compose).run, file, checkout.stack)
        sides = {"dashtam": _dashtam(checkout), "compose": _compose(compose)}
        try:
            taken = measured(sides, chosen.rounds)
        finally:
            succeed(compose("down", "--volumes"))
    print("\n".join(report(taken)))


def measured(sides: Mapping[str, Steps], rounds: int) -> dict[tuple[str, str], list[float]]:
    """Run all steps of both sides in each round; who begins changes with every round.

    Args:
        sides: Their steps, in order, by side.
        rounds: How often, after a first time that isn't counted, in which both make their data.

    Returns:
        Seconds by step and side.
    """
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)
    for number in range(rounds + 1):
        for side in sorted(sides, reverse=number % 2 == 0):
            for step, work in sides[side].items():
                began = time.monotonic()
                succeed(work())
                if number:
                    taken[step, side].append(time.monotonic() - began)
    return taken


def report(taken: Mapping[tuple[str, str], Sequence[float]]) -> list[str]:
    """Return a table of what was measured.

    Args:
        taken: Seconds by step and side.
    """
    head = f"{'seconds':20}{'':10}{'min':>7}{'median':>8}{'max':>7}"
    rows = (
        f"{step:20}{side:10}{min(all_):7.2f}{statistics.median(all_):8.2f}{max(all_):7.2f}"
        for (step, side), all_ in sorted(taken.items(), key=lambda one: ([UP, AGAIN, DOWN].index(one[0][0]), one[0][1]))
    )
    return [head, *rows]


def _dashtam(checkout: Checkout) -> Steps:
    up = partial(checkout.dashtam, "up", checkout.stack)
    return {UP: up, AGAIN: up, DOWN: partial(checkout.dashtam, "down", checkout.stack)}


def _compose(run: Run) -> Steps:
    up = partial(run, "up", "--detach", "--wait")
    return {UP: up, AGAIN: up, DOWN: partial(run, "down")}


if __name__ == "__main__":
    main()
