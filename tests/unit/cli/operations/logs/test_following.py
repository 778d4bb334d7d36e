from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest
from docker.errors import StreamParseError

from cli.core.errors import UserError
from cli.engine.container import Source
from cli.operations.logs.entries import Choice, Entry
from cli.operations.logs.following import OVERLAP, Follower, Seen, followed

APP = Source("1", "app", "dashtam-test-app")


def _entry(seconds: float, text: str = "") -> Entry:
    moment = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return Entry(f"{moment}000Z", APP, text)


def test_what_was_read_is_not_new() -> None:
    seen = Seen()
    assert [seen.is_new(_entry(100, text)) for text in ("a", "b", "a")] == [True, True, False]


def test_what_comes_out_of_order_is_new() -> None:
    seen = Seen()
    assert all(seen.is_new(_entry(moment)) for moment in (100, 100.5, 100.4))


def test_what_is_older_than_the_first_is_not_new() -> None:
    seen = Seen()
    assert seen.is_new(_entry(100))
    assert not seen.is_new(_entry(99.9))


@pytest.mark.parametrize(("since", "moments", "expected"), [(None, [], None), (7.0, [], 7.0), (7.0, [100, 200], 199.0)])
def test_it_is_read_again_from_a_moment_before_the_last(
    since: float | None, moments: list[float], expected: float | None
) -> None:
    seen = Seen(since)
    for moment in moments:
        seen.is_new(_entry(moment))
    assert seen.since == expected


def test_what_is_read_again_is_remembered_and_no_more() -> None:
    seen = Seen()
    entries = [_entry(100 + 0.25 * step) for step in range(1000)]
    assert all(seen.is_new(entry) for entry in entries)
    again = [entry for entry in entries if entry.seconds >= (seen.since or 0)]
    assert len(again) == 5
    assert not any(seen.is_new(entry) for entry in again)
    assert len(seen._keys) == len(seen._recent) == 2 * OVERLAP / 0.25 + 1


class FakeView:
    """An engine on which one container restarts, and is then replaced."""

    def __init__(self) -> None:
        lines = [f"{_entry(100 + number).time} {number}\n".encode() for number in range(8)]
        self.reads = {"1": [lines[:2], lines[:3], lines[2:5]], "2": [lines[5:]]}

    def log(self, container: str, **_: object) -> list[bytes]:
        return self.reads[container].pop(0)

    def starts(self, *_: object) -> Iterator[Source]:
        yield from (Source("1", "app", "n"), Source("9", "files", "n"), Source("2", "app", "n"))
        threading.Event().wait()  # for more to come


def test_a_service_is_followed_over_a_restart_and_a_replacement() -> None:
    view: Any = FakeView()
    found = Follower(view, "test", "me", ["app"], Choice()).entries([APP])
    texts = (entry.text for entry in found if entry)
    assert list(islice(texts, 8)) == [str(number) for number in range(8)]


def test_what_comes_in_place_of_a_replica_is_followed() -> None:
    one = Source("1", "app", "n", "app.1@node")
    assert followed(["app.1"], [one]) == {"app"}
    assert "callback" in followed(None, [one])


def test_an_engine_that_goes_away_is_told() -> None:
    view: Any = FakeView()
    view.starts = lambda *_: iter(())
    with pytest.raises(UserError, match="stopped answering"):
        list(Follower(view, "test", "me", ["app"], Choice()).entries([]))


def _raises(error: Exception) -> Iterator[Any]:
    yield from ()
    raise error


@pytest.mark.parametrize("error", [StreamParseError("an event that was cut off"), ConnectionResetError()])
def test_an_engine_that_stops_while_events_are_read_is_told(error: Exception) -> None:
    view: Any = FakeView()
    view.starts = lambda *_: _raises(error)
    with pytest.raises(UserError, match="stopped answering"):
        list(Follower(view, "test", "me", ["app"], Choice()).entries([]))


@pytest.mark.parametrize("read", ["starts", "log"])
def test_an_error_of_a_thread_is_raised_where_entries_are_read(read: str) -> None:
    view: Any = FakeView()
    setattr(view, read, lambda *_, **__: _raises(KeyError("id")))
    with pytest.raises(KeyError, match="id"):
        list(Follower(view, "test", "me", ["app"], Choice()).entries([]))


def test_replicas_are_followed_beside_each_other() -> None:
    view: Any = FakeView()
    over = threading.Event()

    def log(container: str, **_: object) -> Iterator[bytes]:
        yield f"{_entry(100).time} of {container}\n".encode()
        over.wait(10)  # it runs on

    def starts(*_: object) -> Iterator[Source]:
        yield from (Source(one, "app", one, f"app.{one}@node") for one in ("1", "2"))
        over.wait(10)

    view.log, view.starts = log, starts
    found = Follower(view, "test", "me", ["app"], Choice()).entries([])
    texts = list(islice((entry.text for entry in found if entry), 2))
    over.set()
    assert sorted(texts) == ["of 1", "of 2"]
