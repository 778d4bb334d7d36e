from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from cli.engine.container import Source
from cli.operations.logs.entries import Choice, Entry, history, parse

APP = Source("1", "app", "dashtam-test-app")
REDIS = Source("2", "redis", "dashtam-test-redis")
TIME = "2026-11-23T22:35:39.00000000{}Z"


def _frame(moment: int, text: bytes) -> bytes:
    return TIME.format(moment).encode() + b" " + text


class FakeView:
    """Logs by container id."""

    def __init__(self, **logs: list[bytes]) -> None:
        self.logs = {"1": logs.get("app", []), "2": logs.get("redis", [])}
        self.tails: list[int | None] = []

    def log(self, container: str, *, since: float | None, tail: int | None) -> Iterator[bytes]:
        assert since is None
        self.tails.append(tail)
        frames = self.logs[container]
        return iter(frames if tail is None else frames[len(frames) - tail :])


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([_frame(1, b"one\n"), _frame(2, b"two\r\n")], [("1", "one"), ("2", "two")]),
        ([_frame(1, b"\n")], [("1", "")]),
        ([_frame(1, b"a long "), _frame(2, b"line\n"), _frame(3, b"x\n")], [("1", "a long line"), ("3", "x")]),
        ([_frame(1, b"broken off")], [("1", "broken off")]),
        ([_frame(1, b"half \xe2\x82"), _frame(2, b"\xac\n")], [("1", "half \u20ac")]),
        ([_frame(1, b"no text \xff\n")], [("1", "no text \ufffd")]),
        ([_frame(1, b"\xff\xc3\xa9\n")], [("1", "\N{REPLACEMENT CHARACTER}\N{LATIN SMALL LETTER E WITH ACUTE}")]),
        ([], []),
    ],
)
def test_frames_are_made_lines(frames: list[bytes], expected: list[tuple[str, str]]) -> None:
    found = [(entry.time, entry.text) for entry in parse(frames, APP)]
    assert found == [(TIME.format(moment), text) for moment, text in expected]


def test_the_time_is_read_to_the_microsecond() -> None:
    assert Entry("1970-01-01T00:01:00.123456789Z", APP, "").seconds == pytest.approx(60.123456, abs=1e-9)


def test_services_are_merged_in_order_of_time() -> None:
    view: Any = FakeView(app=[_frame(1, b"a\n"), _frame(4, b"b\n")], redis=[_frame(2, b"c\n"), _frame(3, b"d\n")])
    assert [entry.text for entry in history(view, [APP, REDIS], Choice())] == ["a", "c", "d", "b"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(tail=1), ["b3"]),
        (Choice(tail=0), []),
        (Choice(tail=9), ["a1", "b2", "b3"]),
        (Choice(pattern=re.compile("^b|x")), ["b2", "b3"]),
        (Choice(tail=1, pattern=re.compile("a")), ["a1"]),
    ],
)
def test_only_what_is_wanted_is_given(choice: Choice, expected: list[str]) -> None:
    view: Any = FakeView(app=[_frame(1, b"a1\n"), _frame(2, b"b2\n"), _frame(3, b"b3\n")])
    assert [entry.text for entry in history(view, [APP], choice)] == expected


def test_following_is_told_where_the_log_ends_even_if_nothing_is_wanted() -> None:
    view: Any = FakeView(app=[_frame(1, b"a\n"), _frame(2, b"b\n")])
    noted: list[Entry] = []
    assert not list(history(view, [APP], Choice(tail=0), noted.append))
    assert [entry.text for entry in noted] == ["b"]
    assert view.tails == [1]
