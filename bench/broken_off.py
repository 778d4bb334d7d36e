"""Kills a command with SIGKILL at random moments, and looks whether what follows ends healthy with all data.

    .venv/bin/python -m bench.broken_off restore --rounds 50 --seed 1

It works on an environment of its own in a copy of this checkout, and removes it. Half of the rounds kill the command
alone, as the kernel does where memory is short; half kill all that it has started, as a power cut does. After a
`destroy` that came as far as the data, the snapshot that it took is put back; after all else `up` is run, once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import docker
import psutil

from tests.operator.contents import Contents
from tests.verify import checkout as checkouts
from tests.verify import environments
from tests.verify.checkout import Checkout
from tests.verify.running import succeed

KEPT = "kept"
COMMANDS: dict[str, tuple[str, ...]] = {
    "up": ("up", "{stack}"),
    "down": ("down", "{stack}"),
    "destroy": ("destroy", "{stack}", "--yes"),
    "restore": ("snapshot", "restore", "{stack}", KEPT, "--yes"),
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

    def start(self, name: str) -> psutil.Process:
        """Start the command."""
        words = [word.format(stack=self.checkout.stack) for word in COMMANDS[name]]
        return psutil.Process(self.checkout.start(*words).pid)

    def kill(self, started: psutil.Process) -> str:
        """Kill it, alone or with all that it started; tell which."""
        alone = self.choose.random() < 0.5  # noqa: PLR2004
        family = [started] if alone else [started, *started.children(recursive=True)]
        for one in family:
            with suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGKILL)
        started.wait()
        return "alone" if alone else "with all"

    def go_on(self) -> str:
        """Run the one command that comes after; tell which."""
        names = {volume.name for volume in self.client.volumes.list(filters=environments.labelled(self.checkout.stack))}
        if f"postgres_{self.checkout.stack}_data" in names:
            succeed(self.checkout.dashtam("up", self.checkout.stack))
            return "up"
        taken = json.loads(succeed(self.checkout.dashtam("snapshot", "list", self.checkout.stack, "--json")))
        newest = max((one for one in taken if one["name"] != KEPT), key=lambda one: str(one["created"]))
        succeed(self.checkout.dashtam("snapshot", "restore", self.checkout.stack, str(newest["name"]), "--yes"))
        return "snapshot restore"


async def main(name: str, rounds: int, seed: int) -> int:
    """Run the rounds, and print each.

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
        whole = _seconds(lambda: _undisturbed(trial, name))
        print(f"{name} takes {whole:.1f} s undisturbed")
        failed = 0
        for number in range(1, rounds + 1):
            # What a restore may end with: the data of the snapshot, or what was there.
            good = {old, await _fill(contents)} if name == "restore" else {await contents.digest()}
            trial.prepare(name)
            moment = trial.choose.uniform(0, whole)
            started = trial.start(name)
            with suppress(psutil.TimeoutExpired):
                started.wait(moment)
            how = trial.kill(started)
            after = trial.go_on()
            well = environments.is_up(client, checkout.stack) and await contents.digest() in good
            failed += not well
            print(
                f"{number:3} killed {how} after {moment:5.1f} s, then {after}: {'well' if well else 'NOT WELL'}",
                flush=True,
            )
        print(f"{rounds - failed} of {rounds} ended healthy with all data")
    return int(failed > 0)


def _undisturbed(trial: Trial, name: str) -> None:
    trial.prepare(name)
    trial.start(name).wait()
    trial.go_on()


def _seconds(work: Callable[[], None]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


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
