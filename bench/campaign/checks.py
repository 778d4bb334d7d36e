"""What must hold after each step, told from what was looked at: pure, so that it can be tested without an engine."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.campaign.ledger import Ledger, Values

TRACEBACK = "Traceback (most recent call last)"
ERROR = re.compile(r"^Error: ", re.MULTILINE)
REMEDY = "What to do:"
REFUSED = frozenset({1, 2})


@dataclass(frozen=True)
class Said:
    """What a command came to.

    Args:
        command: The command.
        status: Its exit status; negative where a signal killed it.
        text: What it printed.
    """

    command: str
    status: int
    text: str


@dataclass(frozen=True)
class Seen:
    """An environment as it is found after a step.

    Args:
        readable: What each part holds that can be read now.
        volumes: The parts whose volume is on the engine.
        paused: Containers that are paused.
        strangers: All that is not the environment's, as the engine describes it.
    """

    readable: Mapping[str, Values] = field(default_factory=dict)
    volumes: Collection[str] = ()
    paused: Collection[str] = ()
    strangers: Mapping[str, Any] = field(default_factory=dict)


def crashes(said: Said) -> list[str]:
    """Return what is wrong with how any command ended."""
    if TRACEBACK in said.text:
        return [f"{said.command} printed a traceback: {last_line(said.text)}"]
    return []


def refusal(said: Said) -> list[str]:
    """Return what is wrong with a refusal of `./dashtam`: it is one message with its remedy."""
    found = crashes(said)
    if said.status not in REFUSED:
        found.append(f"{said.command} ended with status {said.status}: {last_line(said.text)}")
    elif len(ERROR.findall(said.text)) != 1:
        found.append(f"{said.command} failed with {len(ERROR.findall(said.text))} messages: {said.text[-300:]}")
    elif REMEDY not in said.text:
        found.append(f"{said.command} failed without a remedy: {said.text[-300:]}")
    return found


def outcome(said: Said, *, must_fail: Collection[str] = (), may_fail: Collection[str] = ()) -> list[str]:
    """Return what is wrong with how a command of `./dashtam` ended.

    Args:
        said: What it came to.
        must_fail: Why it had to be refused.
        may_fail: Why it might be refused.
    """
    if said.status == 0:
        accepted = f"{said.command} succeeded in spite of {', '.join(must_fail)}"
        return crashes(said) + ([accepted] if must_fail else [])
    if must_fail or may_fail:
        return refusal(said)
    return [*crashes(said), f"{said.command} failed with status {said.status}: {said.text[-600:]}"]


def kept(ledger: Ledger, seen: Seen) -> list[str]:
    """Return what was lost, or is there and should not be."""
    lost = [
        f"the volume of the {part} is gone, which nobody agreed to"
        for part in sorted(ledger.must_keep - {*seen.volumes})
    ]
    wrong = (ledger.seen(part, values) for part, values in seen.readable.items())
    return [*lost, *(one for one in wrong if one)]


def undisturbed(before: Mapping[str, Any], seen: Seen) -> list[str]:
    """Return what was changed of others' things."""
    return [f"{name}, which is not ours, was changed" for name in before if before[name] != seen.strangers.get(name)]


def resumed(seen: Seen) -> list[str]:
    """Return what was left paused."""
    return [f"{name} was left paused" for name in seen.paused]


def orphans(there: Mapping[str, str], recorded: Collection[str]) -> list[str]:
    """Return what carries our labels and is not in Pulumi's state.

    Args:
        there: Names by id, on the engine.
        recorded: Ids in the state.
    """
    return [f"{name} is an orphan" for one, name in sorted(there.items()) if one not in recorded]


def message(said: Said) -> str:
    """Return the message with which a command was refused; empty where it was not."""
    lines = [line for line in said.text.splitlines() if line.startswith("Error: ")]
    return lines[0] if said.status != 0 and lines else ""


def last_line(text: str) -> str:
    """Return the last line of a text that has any."""
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""
