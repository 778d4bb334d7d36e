from __future__ import annotations

from bench.campaign.ledger import ACCOUNTS, CACHE, DATABASE, NOTHING, PARTS, Ledger


def _written() -> Ledger:
    made = Ledger()
    for part in PARTS:
        made.write(part, "w1")
    return made


def test_what_was_acknowledged_must_be_there() -> None:
    ledger = _written()
    assert ledger.must_keep == {*PARTS}
    assert ledger.seen(DATABASE, frozenset({"w1"})) == ""
    assert ledger.seen(CACHE, NOTHING) == "the cache lacks ['w1']"
    assert ledger.seen(ACCOUNTS, frozenset({"w1", "w0"})) == "the accounts has ['w0'], which it should not have"


def test_what_was_destroyed_comes_back_with_its_snapshot() -> None:
    ledger = _written()
    assert ledger.note_snapshots(["before"]) == ["before"]
    ledger.destroyed()
    assert ledger.must_keep == set()
    assert ledger.seen(DATABASE, NOTHING) == ""
    assert ledger.note_snapshots(["before", "empty"]) == ["empty"]
    ledger.replaced(ledger.snapshots["before"])
    assert ledger.seen(DATABASE, NOTHING) == "the database lacks ['w1']"


def test_a_backup_holds_the_database_alone() -> None:
    ledger = _written()
    ledger.note_backup("file")
    for part in PARTS:
        ledger.write(part, "w2")
    ledger.replaced(ledger.backups["file"])
    assert ledger.seen(DATABASE, frozenset({"w1"})) == ""
    assert ledger.seen(ACCOUNTS, frozenset({"w1"})) == ""
    assert ledger.seen(CACHE, frozenset({"w1", "w2"})) == ""


def test_a_killed_command_leaves_the_one_or_the_other_until_the_next_update() -> None:
    ledger = _written()
    ledger.note_snapshots(["one"])
    ledger.write(DATABASE, "w2")
    ledger.may_be_replaced(ledger.snapshots["one"])
    assert ledger.seen(DATABASE, frozenset({"w1", "w2"})) == ""
    assert ledger.seen(DATABASE, frozenset({"w1"})) == ""
    ledger.settled()
    assert ledger.seen(DATABASE, frozenset({"w1", "w2"})) != ""


def test_what_is_written_after_a_killed_command_must_be_kept() -> None:
    ledger = _written()
    ledger.note_snapshots(["one"])
    ledger.may_be_replaced(ledger.snapshots["one"])
    ledger.write(DATABASE, "w2")
    assert ledger.seen(DATABASE, frozenset({"w1"})) == "the database lacks ['w2']"


def test_a_killed_destroy_may_have_removed_each_part() -> None:
    ledger = _written()
    ledger.note_snapshots(["taken"])
    ledger.may_be_destroyed()
    assert ledger.must_keep == set()
    assert ledger.seen(DATABASE, NOTHING) == ""
    assert ledger.seen(CACHE, frozenset({"w1"})) == ""


def test_a_killed_seed_may_have_added_all_or_nothing() -> None:
    ledger = _written()
    ledger.may_write(ACCOUNTS, "a", "b")
    assert ledger.seen(ACCOUNTS, frozenset({"w1", "a"})) != ""
    again = _written()
    again.may_write(ACCOUNTS, "a", "b")
    assert again.seen(ACCOUNTS, frozenset({"w1", "a", "b"})) == ""
