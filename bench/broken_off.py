"""Kills a command with SIGKILL at random moments, and looks whether what follows ends healthy with all data.

    .venv/bin/python -m bench.broken_off restore --rounds 50 --seed 1

It works on an environment of its own in a copy of this checkout, and removes it. Half of the rounds kill the command
alone, as the kernel does where memory is short; half kill all that it has started, as a power cut does. A round counts
where the command was alive when it was killed. After a `destroy` that came as far as the data, the snapshot that it
took is put back; after all else `up` is run, once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import docker
import psutil

from tests.system import checkout as checkouts
from tests.system import damage, environments
from tests.system.checkout import Checkout
from tests.system.commands.contents import Contents
from tests.system.running import PATIENCE, succeed, wait_until

KEPT = "kept"
KILLED = "killed"
NOT_WELL = "NOT WELL"

COMMANDS: dict[str, tuple[str, ...]] = {
    "up": ("up", "{stack}"),
    "down": ("down", "{stack}"),
    "destroy": ("destroy", "{stack}", "--yes"),
    "restore": ("snapshot", "restore", "{stack}", KEPT, "--yes", "--no-snapshot"),
}


@dataclass
class Trial:
    """The environment that is tried on.

    Args:
        checkout: Its checkout.
        client: The engine.
        contents: What it keeps.
        choose: The source of chance.
    """

    checkout: Checkout
    client: docker.DockerClient
    contents: Contents
    choose: random.Random

    def prepare(self, name: str) -> None:
        """Bring it to where the command has something to do."""
        if name == "up":
            succeed(self.checkout.dashtam("down", self.checkout.stack))

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """Start the command."""
        words = (word.format(stack=self.checkout.stack) for word in COMMANDS[name])
        return self.checkout.start(*words, said=Path(os.devnull))

    def kill_after(self, seconds: float, started: subprocess.Popen[bytes]) -> str:
        """Kill it at a moment, alone or with all that it started; tell what became of it."""
        alone = self.choose.random() < 0.5  # noqa: PLR2004
        if not damage.ends_within(started, seconds):
            (damage.kill if alone else damage.kill_all)(started)
        if started.returncode == -signal.SIGKILL:
            return f"{KILLED} {'alone' if alone else 'with all'}"
        return f"ended by itself with status {started.returncode}"

    def go_on(self) -> str:
        """Run the one command that comes after; tell which."""
        # Where the command alone was killed, its update may go on.
        wait_until(lambda: not self._is_updating(), "what was broken off has ended", PATIENCE)
        there = {volume.name for volume in self.client.volumes.list(filters=environments.labelled(self.checkout.stack))}
        if there >= {f"{service}_{self.checkout.stack}_data" for service in ("postgres", "redis")}:
            succeed(self.checkout.dashtam("up", self.checkout.stack))
            return "up"
        taken = json.loads(succeed(self.checkout.dashtam("snapshot", "list", self.checkout.stack, "--json")))
        newest = max((one for one in taken if one["name"] != KEPT), key=lambda one: str(one["created"]))
        succeed(self.checkout.dashtam("snapshot", "restore", self.checkout.stack, str(newest["name"]), "--yes"))
        return "snapshot restore"

    def _is_updating(self) -> bool:
        lines = (one.info["cmdline"] or [] for one in psutil.process_iter(["cmdline"]))
        return any(line[:1] == ["pulumi"] and self.checkout.stack in line for line in lines)


async def main(name: str, rounds: int, seed: int) -> int:
    """Go on until the command was killed as often as is wanted, and print each round and a summary.

    Args:
        name: Which command is killed.
        rounds: How often.
        seed: Of the moments.

    Returns:
        The exit status: 1 if a round did not end well.
    """
    client = docker.from_env()
    with (
        tempfile.TemporaryDirectory() as folder,
        checkouts.brought_up(client, Path(folder) / "copy") as checkout,
    ):
        contents = Contents(checkout, client, Path(folder), checkout.stack)
        trial = Trial(checkout, client, contents, random.Random(seed))  # noqa: S311
        old = await _fill(contents)
        if name == "restore":
            succeed(checkout.dashtam("snapshot", "create", checkout.stack, KEPT))
        whole = _undisturbed(trial, name)
        print(f"{name} takes {whole:.1f} s undisturbed", flush=True)
        outcomes: Counter[str] = Counter()
        while sum(count for outcome, count in outcomes.items() if outcome.startswith(KILLED)) < rounds:
            # What a restore may end with: the data of the snapshot, or what was there.
            good = {old, await _fill(contents)} if name == "restore" else {await contents.digest()}
            outcomes[await _round(trial, name, trial.choose.uniform(0, whole), good)] += 1
    return _summary(outcomes)


async def _round(trial: Trial, name: str, moment: float, good: Collection[str]) -> str:
    trial.prepare(name)
    how = trial.kill_after(moment, trial.start(name))
    outcome = f"{how}, then {trial.go_on()}"
    well = environments.is_up(trial.client, trial.checkout.stack) and await trial.contents.digest() in good
    print(f"after {moment:5.1f} s {outcome}: {'well' if well else NOT_WELL}", flush=True)
    return outcome if well else f"{outcome}: {NOT_WELL}"


def _summary(outcomes: Counter[str]) -> int:
    failed = sum(count for outcome, count in outcomes.items() if outcome.endswith(NOT_WELL))
    print("\n".join(f"{count:4} {outcome}" for outcome, count in sorted(outcomes.items())))
    print(f"{outcomes.total() - failed} of {outcomes.total()} rounds ended healthy with all data")
    return int(failed > 0)


def _undisturbed(trial: Trial, name: str) -> float:
    """Return the seconds that the command takes by itself."""
    trial.prepare(name)
    began = time.monotonic()
    status = trial.start(name).wait()
    seconds = time.monotonic() - began
    assert status == 0, f"exit status {status}, undisturbed"
    trial.go_on()
    return seconds


async def _fill(contents: Contents) -> str:
    await contents.fill(500)
    return await contents.digest()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Kills a command at random moments.")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    raise SystemExit(asyncio.run(main(options.command, options.rounds, options.seed)))
