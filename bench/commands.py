"""How long short commands take, beside Docker's and Compose's for the same purpose, on the same services.

    .venv/bin/python -m bench.commands --runs 10

It needs hyperfine (Debian's package `hyperfine`). It makes an environment that publishes no port, in a copy of this
checkout, and the same services by Compose; both run meanwhile, and are removed.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import docker

from infra.naming import Naming
from tests.system import checkout as checkouts
from tests.system.checkout import Checkout
from tests.system.commands.composing import Compose
from tests.system.running import run, succeed

LINES = "100"
NO_TESTS: dict[str, object] = {"image": False}
"""It needs no image of the tests, which takes minutes to build."""


def main() -> None:
    """Measure, and print medians."""
    parser = argparse.ArgumentParser(description="Times help, status, exec and logs beside Docker and Compose.")
    parser.add_argument("--runs", type=int, default=10, choices=range(3, 101), metavar="3..100", help="of each command")
    parser.add_argument("--compose", nargs="+", default=["docker", "compose"], help="how Compose is started")
    chosen = parser.parse_args()
    if not shutil.which("hyperfine"):
        parser.error("hyperfine is not installed: sudo apt-get install hyperfine")
    client = docker.from_env()
    with (
        tempfile.TemporaryDirectory() as folder,
        checkouts.brought_up(client, Path(folder) / "copy", like="ci", tests=NO_TESTS) as checkout,
    ):
        file = Path(folder) / "compose.yaml"
        succeed(checkout.dashtam("export", "compose", checkout.stack, "--output", str(file)))
        compose = Compose(chosen.compose)
        try:
            succeed(compose.run(file, checkout.stack, "up", "--detach", "--wait"))
            commands = _commands(checkout, compose.on(file, checkout.stack))
            taken = {what: _medians(sides, checkout, chosen.runs) for what, sides in commands}
        finally:
            compose.run(file, checkout.stack, "down", "--volumes")
    print("\n".join(report(taken)))


def _commands(checkout: Checkout, compose: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Sequence[str]]]]:
    """Yield what is measured, and the command of each side."""
    ours, stack = str(checkout.root / "dashtam"), checkout.stack
    container = Naming(stack, "").container("app")
    yield "--help", {"dashtam": [ours, "--help"], "compose": [*compose, "--help"], "docker": ["docker", "--help"]}
    yield (
        "status",
        {
            "dashtam": [ours, "status", stack],
            "compose": [*compose, "ps"],
            "docker": ["docker", "ps", "--filter", f"name={container.removesuffix('app')}"],
        },
    )
    yield (
        "exec",
        {
            "dashtam": [ours, "exec", stack, "app", "--", "true"],
            "compose": [*compose, "exec", "-T", "app", "true"],
            "docker": ["docker", "exec", container, "true"],
        },
    )
    yield (
        "logs",
        {
            "dashtam": [ours, "logs", stack, "app", "--tail", LINES],
            "compose": [*compose, "logs", "--tail", LINES, "app"],
            "docker": ["docker", "logs", "--tail", LINES, container],
        },
    )


def _medians(sides: Mapping[str, Sequence[str]], checkout: Checkout, runs: int) -> dict[str, float]:
    """Return the median of each side, in seconds."""
    with tempfile.NamedTemporaryFile() as found:
        options = ["--shell=none", "--warmup=1", f"--runs={runs}", f"--export-json={found.name}"]
        commands = [shlex.join(command) for command in sides.values()]
        succeed(run(["hyperfine", *options, *commands], cwd=checkout.root, env=checkout.environ))
        results = json.loads(Path(found.name).read_text())["results"]
    return {side: one["median"] for side, one in zip(sides, results, strict=True)}


def report(taken: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return a table of medians in seconds, by command and side."""
    sides = list(next(iter(taken.values())))
    rows = [f"{'seconds':10}" + "".join(f"{side:>10}" for side in sides)]
    rows += [f"{what:10}" + "".join(f"{medians[side]:10.2f}" for side in sides) for what, medians in taken.items()]
    return rows


if __name__ == "__main__":
    main()
