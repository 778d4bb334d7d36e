"""What environments cost that are up and idle, and how long `status --all` takes among them.

    python -m bench.many --environments 10

It makes them in a copy of this checkout, and removes all. What other programs use before is subtracted, so their load
must stay the same. Health checks cost what is saved where each service is checked every ten minutes.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import docker
import psutil

from tests.system import checkout as checkouts
from tests.system.commands.additional import beside
from tests.system.running import succeed

ROUNDS = 5
SELDOM: dict[str, object] = {"interval": "10m"}


def main() -> None:
    """Measure, and print what one environment more costs, and all of them."""
    parser = argparse.ArgumentParser(description="Measures what idle environments cost.")
    parser.add_argument("--environments", type=int, default=10, choices=range(2, 21), metavar="2..20")
    parser.add_argument("--seconds", type=int, default=120, choices=range(60, 601), metavar="60..600")
    chosen = parser.parse_args()
    client = docker.from_env()
    before, used = busy(chosen.seconds), psutil.virtual_memory().used
    with tempfile.TemporaryDirectory() as folder, ExitStack() as up:
        first = up.enter_context(checkouts.brought_up(client, Path(folder) / "copy"))
        others = [up.enter_context(beside(first, client, str(number))) for number in range(2, chosen.environments + 1)]
        for one in others:
            one.up()
        cores = idle(chosen.seconds) - before
        memory = psutil.virtual_memory().used - used
        listed = statistics.median(_status(first) for _ in range(ROUNDS))
        for one in (first, *others):
            one.configure(health=SELDOM)
            one.up()
        checks = cores - (idle(chosen.seconds) - before)
    each = memory / chosen.environments / 1024**2
    print(f"{chosen.environments} environments, idle: {100 * cores:.1f} % of a core, {each:.0f} MiB of memory each")
    print(f"of that, health checks: {100 * checks:.1f} % of a core")
    print(f"status --all: {listed:.2f} s (median of {ROUNDS})")


def idle(seconds: float) -> float:
    """Return how many cores are busy once what a start leaves to do is done, such as checkpoints."""
    time.sleep(seconds / 4)
    return busy(seconds)


def busy(seconds: float) -> float:
    """Return how many cores are busy, on average over some seconds."""
    return sum(psutil.cpu_percent(seconds, percpu=True)) / 100


def _status(checkout: checkouts.Checkout) -> float:
    began = time.monotonic()
    succeed(checkout.dashtam("status", "--all"))
    return time.monotonic() - began


if __name__ == "__main__":
    main()
