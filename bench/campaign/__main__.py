"""Runs random sequences of commands, edits and damage against a real environment, and looks what is lost.

    python -m bench.campaign --sequences 10 --steps 15 --seed 1 --minutes 60

Each sequence follows from its seed alone. It begins with an environment in a copy of this checkout that is up and has
data, a snapshot and a backup. It ends at the first thing that is wrong, or with all edits taken back and the
environment up. After each step:

- What was acknowledged is there, or somebody agreed to lose it, or it is in the snapshot that `destroy` took.
- Nothing that lacks the clone's labels was changed.
- `up` ends healthy and leaves no orphan, or is refused in one message with its remedy. A second one changes nothing.

A sequence is repeated with `--sequence "up; down; write"`, and made shorter with `--shrink`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from bench.campaign import sequences, steps, strangers, world
from bench.campaign.sequences import Step
from bench.campaign.strangers import Strangers
from bench.campaign.trial import Trial
from bench.campaign.world import World
from infra.catalogue import POSTGRES, SOURCE_VARIABLE, ImageSource
from infra.engine import client_of

FIRST = sequences.parsed("snapshot; backup")
"""Done before each sequence, so that there is something to restore."""

ENDED = 143
"""The exit status after SIGTERM."""


@dataclass(frozen=True)
class Result:
    """What came of one sequence.

    Args:
        seed: What it was drawn by.
        sequence: It.
        done: How many of its steps were done.
        wrong: What was wrong after the last of these.
        seconds: How long it took.
        shortest: What is left of it where it was shrunk.
    """

    seed: int
    sequence: str
    done: int
    wrong: list[str]
    seconds: float
    shortest: str = ""


@dataclass(frozen=True)
class Campaign:
    """Where sequences are run.

    Args:
        world: What they work on.
        strangers: What is beside it.
        engine: The command that restarts the engine.
        until: When no further sequence is begun, on the monotonic clock.
    """

    world: World
    strangers: Strangers
    engine: str
    until: float

    @property
    def is_late(self) -> bool:
        """Whether no further sequence is to begin."""
        return time.monotonic() > self.until

    def run(self, seed: int, steps_: Sequence[Step]) -> Result:
        """Run a sequence until something is wrong."""
        began, done = time.monotonic(), 0
        print(f"\nseed {seed}: {sequences.written(steps_)}", flush=True)
        trial = Trial(self.world, self.strangers)
        wrong = self._shown("begin", trial.begin)
        for step in FIRST:
            wrong = wrong or self._shown(str(step), partial(steps.do, trial, step))
        for step in steps_:
            if wrong:
                break
            wrong, done = self._shown(str(step), partial(steps.do, trial, step, self.engine)), done + 1
        wrong = wrong or self._shown("end", trial.end)
        return Result(seed, sequences.written(steps_), done, wrong, round(time.monotonic() - began, 1))

    def _shown(self, name: str, do: Callable[[], list[str]]) -> list[str]:
        began = time.monotonic()
        try:
            wrong = do()
        except Exception as error:
            traceback.print_exc()
            wrong = [f"the campaign itself failed: {type(error).__name__}: {error}"[:600]]
        print(f"  {time.monotonic() - began:6.1f} s  {name}", *(f"\n    WRONG: {one}" for one in wrong), flush=True)
        return wrong

    def shrink(self, failed: Result) -> str:
        """Return the shortest sequence that is found to fail as one did."""

        def fails(shorter: Sequence[Step]) -> bool:
            return not self.is_late and _kind(self.run(failed.seed, shorter)) == _kind(failed)

        done = sequences.parsed(failed.sequence)[: failed.done]
        return sequences.written(sequences.shrunk(done, fails))


def _kind(result: Result) -> str:
    return result.wrong[0][:40] if result.wrong else ""


def main() -> int:
    """Run sequences; the exit status is 1 if something was wrong."""
    options = _options()
    # What was made is removed in any case.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ENDED))
    until = time.monotonic() + options.minutes * 60
    client = client_of(os.environ)
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder, world.made(client, Path(folder)) as made:
        image = POSTGRES.reference(ImageSource(made.checkout.tools[SOURCE_VARIABLE]))
        with strangers.beside(client, image, made.stack, f"stranger-{made.stack}") as beside:
            campaign = Campaign(made, beside, options.restart_engine, until)
            for seed, sequence in _chosen(options):
                if len(results) == options.sequences or campaign.is_late:
                    break
                result = campaign.run(seed, sequence)
                if result.wrong and options.shrink:
                    result = Result(**{**asdict(result), "shortest": campaign.shrink(result)})
                results.append(result)
                _write(options.json, results)
    return _summary(results)


def _chosen(options: argparse.Namespace) -> Iterable[tuple[int, list[Step]]]:
    if options.sequence:
        return [(options.seed, sequences.parsed(options.sequence))]
    return sequences.endless(options.seed, options.steps, engine=bool(options.restart_engine))


def _write(file: Path | None, results: Sequence[Result]) -> None:
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps([asdict(one) for one in results], indent=2) + "\n")


def _summary(results: Sequence[Result]) -> int:
    failed = [one for one in results if one.wrong]
    print(f"\n{len(results)} sequences, {sum(one.done for one in results)} steps; in {len(failed)} something was wrong")
    for one in failed:
        done = sequences.written(sequences.parsed(one.sequence)[: one.done])
        print(f"seed {one.seed}: {one.shortest or done}", *(f"\n    {wrong}" for wrong in one.wrong))
    return int(bool(failed))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.campaign", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sequences", type=int, default=10, help="how many to run at most")
    parser.add_argument("--steps", type=int, default=15, help="how many steps each has")
    parser.add_argument("--seed", type=int, default=1, help="of the first sequence; the others have the next ones")
    parser.add_argument("--minutes", type=float, default=60, help="after which no other sequence is begun")
    parser.add_argument("--sequence", default="", metavar="STEPS", help="run this one instead")
    parser.add_argument("--shrink", action="store_true", help="look for the shortest sequence that fails the same way")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the results")
    parser.add_argument("--restart-engine", default="", metavar="COMMAND", help="also restart the engine, with this")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
