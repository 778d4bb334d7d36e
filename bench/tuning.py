"""What speed tuning brings: PostgreSQL tuned and on tmpfs, as in test and ci, beside stock settings on a volume.

    .venv/bin/python -m bench.tuning --rounds 3

It makes an environment of each kind, each in a copy of this checkout, and removes both. Each round runs pgbench (its
TPC-B-like transactions, with 4 clients) and the integration suite against both, one after the other in turn, so that
what else the machine does falls on both alike.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import docker

from tests.conftest import STACK_VARIABLE
from tests.system import checkout as checkouts
from tests.system.checkout import Checkout
from tests.system.running import run, succeed

TUNED, STOCK = "tuned, tmpfs", "stock, volume"
CONFIGS: Mapping[str, Mapping[str, dict[str, object]]] = {
    TUNED: {
        "postgres": {"storage": "tmpfs", "tmpfs_size": "1g", "tuning": "speed", "memory": "2g"},
        "redis": {"storage": "tmpfs", "persistence": "none"},
    },
    STOCK: {"postgres": {"storage": "volume", "tuning": "durable", "memory": "2g"}},
}
PGBENCH, SUITE = "pgbench, transactions/s", "integration suite, s"


def main() -> None:
    """Measure both, and print the medians and their ratios."""
    parser = argparse.ArgumentParser(description="Times pgbench and the integration suite with and without tuning.")
    parser.add_argument("--rounds", type=int, default=3, choices=range(1, 21), metavar="1..20")
    parser.add_argument("--seconds", type=int, default=20, choices=range(5, 301), metavar="5..300", help="of pgbench")
    chosen = parser.parse_args()
    client = docker.from_env()
    with (
        tempfile.TemporaryDirectory() as folder,
        # Named, so that the sections can't be taken for it.
        checkouts.brought_up(client, Path(folder) / "tuned", like="dev", **CONFIGS[TUNED]) as tuned,
        checkouts.brought_up(client, Path(folder) / "stock", like="dev", **CONFIGS[STOCK]) as stock,
    ):
        sides = {TUNED: tuned, STOCK: stock}
        for side in sides.values():
            pgbench(side, "--initialize", "--scale=10", "--quiet")
            suite(side)  # compiles what is imported
        print("\n".join(report(measured(sides, chosen.rounds, chosen.seconds))))


def measured(sides: Mapping[str, Checkout], rounds: int, seconds: int) -> dict[tuple[str, str], list[float]]:
    """Return what each round gave, by measure and side; who begins changes with every round."""
    measures: Mapping[str, Callable[[Checkout], float]] = {
        PGBENCH: lambda side: transactions(side, seconds),
        SUITE: suite,
    }
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for number in range(rounds):
        for name in sorted(sides, reverse=number % 2 == 0):
            for measure, take in measures.items():
                found[measure, name].append(take(sides[name]))
    return found


def transactions(side: Checkout, seconds: int) -> float:
    """Return how many transactions a second pgbench gets."""
    said = pgbench(side, "--client=4", "--jobs=2", f"--time={seconds}")
    [rate] = re.findall(r"^tps = ([\d.]+)", said, re.MULTILINE)
    return float(rate)


def pgbench(side: Checkout, *arguments: str) -> str:
    """Run pgbench in the container of PostgreSQL, over verified TLS as every client."""
    login = ["env", "PGSERVICE=dashtam", "pgbench"]
    return succeed(side.dashtam("exec", side.stack, "postgres", "--", *login, *arguments))


def suite(side: Checkout) -> float:
    """Return how many seconds the integration suite takes; its processes are started and its tests collected, too."""
    command = [str(side.root / ".venv/bin/python"), "-m", "pytest", "-q", "-n2", "tests/integration"]
    began = time.monotonic()
    succeed(run(command, cwd=side.root, env={**side.tools, STACK_VARIABLE: side.stack}))
    return time.monotonic() - began


def report(found: Mapping[tuple[str, str], Sequence[float]]) -> list[str]:
    """Return a table of medians, and for each measure how many times as fast the tuned side is."""
    rows = [f"{'median':26}{TUNED:>15}{STOCK:>15}{'ratio':>8}"]
    for measure in (PGBENCH, SUITE):
        tuned, stock = (statistics.median(found[measure, side]) for side in (TUNED, STOCK))
        ratio = tuned / stock if measure == PGBENCH else stock / tuned
        rows.append(f"{measure:26}{tuned:15.1f}{stock:15.1f}{ratio:8.2f}")
    return rows


if __name__ == "__main__":
    main()
