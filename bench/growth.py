"""What environments cost on a Swarm as they become more, on the three nodes that the tests of a Swarm have.

    sudo --preserve-env .venv/bin/python -m bench.growth --counts 1 5 20 --at-once 4

It makes the nodes on this machine, brings up as many environments with one replica of each service as each count says,
and prints after each: how long the first `up` of those that were added took, alone or some at once; an `up` without
anything to do; `status`; and what all of them cost at rest. The nodes are removed with all that is on them.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from bench.many import busy
from tests.system.running import succeed
from tests.system.swarm import lab as labs
from tests.system.swarm import staging
from tests.system.swarm.lab import Lab
from tests.system.swarm.staging import Staging

REST_SECONDS = 30.0
FIRST_PORT = 20_000
"""Of two for each environment."""
ROUNDS = 3


def main() -> None:
    """Measure, and print a row for each count."""
    parser = argparse.ArgumentParser(description="Measures what environments cost on a Swarm.")
    parser.add_argument(
        "--counts", type=int, nargs="+", default=[1, 5, 20], metavar="N", help="of environments, growing"
    )
    parser.add_argument("--at-once", type=int, default=4, choices=range(1, 21), metavar="1..20", help="first `up`s")
    chosen = parser.parse_args()
    if reason := labs.obstacle():
        sys.exit(reason)
    with labs.swarm() as lab, tempfile.TemporaryDirectory() as folder:
        environments = _configured(lab, Path(folder), max(chosen.counts))
        before, used = busy(REST_SECONDS), psutil.virtual_memory().used
        done = 0
        for count in sorted(chosen.counts):
            added = environments[done:count]
            began = time.monotonic()
            with ThreadPoolExecutor(min(chosen.at_once, len(added))) as pool:
                ups = [*pool.map(lambda one: timed(one.up), added)]
            whole, done = time.monotonic() - began, count
            for one in added:
                one.settle()
            again = statistics.median(timed(added[-1].up) for _ in range(ROUNDS))
            status = statistics.median(timed(_status(added[-1])) for _ in range(ROUNDS))
            cores, memory = busy(REST_SECONDS) - before, (psutil.virtual_memory().used - used) / 1024**2
            print(
                _row(count, ups, whole, again, status), f"at rest {cores:.2f} of a core, {memory:.0f} MiB", flush=True
            )


def _configured(lab: Lab, folder: Path, count: int) -> list[Staging]:
    images, checkout = staging.prepare(lab), staging.copy(folder)
    found = [Staging(lab, checkout, f"review-{number}", images) for number in range(1, count + 1)]
    for number, one in enumerate(found):
        app, callback = FIRST_PORT + 2 * number, FIRST_PORT + 2 * number + 1
        one.configure(
            app={"port": app, "oauth_redirect_uri": f"https://{lab.manager.address}:{callback}"},
            callback={"port": callback},
            target={"replicas": {"app": 1, "callback": 1}},
        )
    return found


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds something takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _status(one: Staging) -> Callable[[], object]:
    return lambda: succeed(one.dashtam("status", one.name))


def _row(count: int, ups: Sequence[float], whole: float, again: float, status: float) -> str:
    first = f"{len(ups)} more: {whole:.0f} s, each {min(ups):.0f} to {max(ups):.0f} s"
    return f"{count} environments; {first}; up again {again:.1f} s; status {status:.1f} s;"


if __name__ == "__main__":
    main()
