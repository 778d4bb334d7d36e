"""Each invariant finds what is planted."""

from __future__ import annotations

import pytest

from bench.campaign import checks
from bench.campaign.checks import Said, Seen
from bench.campaign.ledger import ACCOUNTS, CACHE, DATABASE, NOTHING, PARTS, Ledger

REFUSAL = "Error: Port 1 is taken.\nAnother process listens on it.\nWhat to do: Stop that.\n"
TRACEBACK = "Traceback (most recent call last):\n  File ...\nKeyError: 'x'\n"


def _ledger() -> Ledger:
    made = Ledger()
    for part in PARTS:
        made.write(part, "w1")
    return made


def _seen(**readable: frozenset[str]) -> Seen:
    return Seen({**dict.fromkeys(PARTS, frozenset({"w1"})), **readable}, {*PARTS})


def test_nothing_is_wrong_with_what_is_as_it_was() -> None:
    assert checks.kept(_ledger(), _seen()) == []
    assert checks.undisturbed({"a": 1}, Seen(strangers={"a": 1, "b": 2})) == []
    assert checks.orphans({"1": "app"}, ["1", "2"]) == []


@pytest.mark.parametrize("part", PARTS)
def test_a_lost_value_is_found(part: str) -> None:
    assert checks.kept(_ledger(), _seen(**{part: NOTHING})) == [f"the {part} lacks ['w1']"]


def test_an_account_that_cannot_be_read_is_found() -> None:
    assert checks.kept(_ledger(), _seen(**{ACCOUNTS: frozenset({"w1, unreadable"})})) == ["the accounts lacks ['w1']"]


def test_a_removed_volume_is_found_also_while_nothing_can_be_read() -> None:
    assert checks.kept(_ledger(), Seen({}, {DATABASE, ACCOUNTS})) == [
        "the volume of the cache is gone, which nobody agreed to"
    ]
    ledger = _ledger()
    ledger.destroyed()
    assert checks.kept(ledger, Seen({}, ())) == []


def test_changed_strangers_and_paused_containers_are_found() -> None:
    seen = Seen(strangers={"a": 1}, paused=["/postgres"])
    assert checks.undisturbed({"a": 1, "b": 2}, seen) == ["b, which is not ours, was changed"]
    assert checks.resumed(seen) == ["/postgres was left paused"]


def test_orphans_are_found() -> None:
    assert checks.orphans({"1": "app", "2": "left"}, ["1"]) == ["left is an orphan"]


@pytest.mark.parametrize(
    ("status", "text", "wrong"),
    [
        (1, REFUSAL, ""),
        (2, REFUSAL, ""),
        (1, TRACEBACK, "up printed a traceback: KeyError: 'x'"),
        (-9, "", "up ended with status -9: "),
        (1, "No.", "up failed with 0 messages: No."),
        (1, REFUSAL + REFUSAL, f"up failed with 2 messages: {REFUSAL * 2}"),
        (1, "Error: No.", "up failed without a remedy: Error: No."),
    ],
)
def test_a_refusal_is_one_message_with_its_remedy(status: int, text: str, wrong: str) -> None:
    assert wrong in {"", *checks.refusal(Said("up", status, text))}
    assert bool(checks.refusal(Said("up", status, text))) == bool(wrong)


def test_a_command_is_refused_for_a_reason_only() -> None:
    refused, done = Said("up", 1, REFUSAL), Said("up", 0, "")
    assert checks.outcome(done) == checks.outcome(done, may_fail=["x"]) == []
    assert checks.outcome(refused, may_fail=["x"]) == checks.outcome(refused, must_fail=["x"]) == []
    assert checks.outcome(refused) == [f"up failed with status 1: {REFUSAL}"]
    assert checks.outcome(done, must_fail=["x=1", "y=2"]) == ["up succeeded in spite of x=1, y=2"]


def test_what_was_refused_is_shown() -> None:
    assert checks.message(Said("up", 1, REFUSAL)) == "Error: Port 1 is taken."
    assert checks.message(Said("up", 0, REFUSAL)) == checks.message(Said("up", 1, TRACEBACK)) == ""


def test_a_traceback_is_found_in_what_succeeded_too() -> None:
    assert checks.outcome(Said("up", 0, TRACEBACK)) == ["up printed a traceback: KeyError: 'x'"]


def test_a_volume_of_nothing_may_go() -> None:
    ledger = Ledger()
    ledger.write(CACHE, "w1")
    assert checks.kept(ledger, Seen({}, {CACHE})) == []
