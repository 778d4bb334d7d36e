"""How many requests a second the service answers over HTTPS, each kind beside /health, which asks nothing else.

    ./dashtam up test
    eval "$(./dashtam env)"; python -m bench.service --seconds 10 --rounds 3

It needs wrk (Debian's package `wrk`), which verifies no certificate; the client that logs in and links accounts does.
Each round measures all kinds, so that what else the machine does falls on all alike.
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import subprocess
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from tests.api.person import COOKIE, visiting
from tests.conftest import Endpoints, reached, stack_outputs

PATHS = ("/health", "/ready", "/api/v1/connections", "/")
CONNECTIONS = 32
ACCOUNTS = ("ada", "grace", "edsger")


@dataclass
class Answers:
    """What one kind of request got in all rounds: requests a second, and failures by wrk's words."""

    rates: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def main() -> None:
    """Measure, and print medians."""
    parser = argparse.ArgumentParser(description="Counts the requests a second that the service answers.")
    parser.add_argument("--stack", default="test")
    parser.add_argument("--rounds", type=int, default=3, choices=range(1, 21), metavar="1..20")
    parser.add_argument("--seconds", type=int, default=10, choices=range(1, 61), metavar="1..60")
    chosen = parser.parse_args()
    if not shutil.which("wrk"):
        parser.error("wrk is not installed: sudo apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        endpoints = reached(stack_outputs(chosen.stack), Path(folder) / "ca.crt")
        url, cookie = logged_in(endpoints)
    found: dict[str, Answers] = defaultdict(Answers)
    for _ in range(chosen.rounds):
        for path in PATHS:
            load(f"{url}{path}", cookie, chosen.seconds, found[path])
    base = statistics.median(found[PATHS[0]].rates)
    print(f"{'median of requests a second':28}{'':>8}{'of /health':>12}  failures")
    for path, answers in found.items():
        rate = statistics.median(answers.rates)
        print(f"{path:28}{rate:8.0f}{rate / base:12.2f}  {'; '.join(answers.failures) or 'none'}")


def logged_in(endpoints: Endpoints) -> tuple[str, str]:
    """Link some accounts, and return the app's address and the session's cookie."""
    with visiting(endpoints) as person:
        for name in ACCOUNTS:
            person.link(name)
        client = person.client
        cookie = "; ".join(f"{one.name}={one.value}" for one in client.cookies.jar if one.name.startswith(COOKIE))
        return str(client.base_url).rstrip("/"), cookie


def load(url: str, cookie: str, seconds: int, answers: Answers) -> None:
    """Ask for one address from many connections, and note what came."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-H", f"Cookie: {cookie}", url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    [rate] = re.findall(r"^Requests/sec:\s+([\d.]+)", said, re.MULTILINE)
    answers.rates.append(float(rate))
    answers.failures += [line.strip() for line in re.findall(r"Non-2xx.*|Socket errors.*", said)]


if __name__ == "__main__":
    main()
