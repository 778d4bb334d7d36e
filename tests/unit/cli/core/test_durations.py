from __future__ import annotations

import pytest

from cli.core.durations import moment, seconds

NOW = 1_000_000.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90s", 90), ("10m", 600), ("1h30m", 5400), ("1.5h", 5400), ("2d", 172800), ("500ms", 0.5), ("0s", 0)],
)
def test_a_duration(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "10", "m", "10x", "-5m", "10m ago", " 5m"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a duration is a number with the unit"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "ago"),
    [("90s", 90), ("10m", 600), ("1h30m", 5400), ("1.5h", 5400), ("2d", 172800), ("500ms", 0.5), ("0s", 0)],
)
def test_a_duration_is_so_long_ago(text: str, ago: float) -> None:
    assert moment(text, NOW) == NOW - ago


@pytest.mark.parametrize(
    ("text", "time"),
    [("1970-01-02T00:00:00Z", 86400), ("1970-01-01T01:00:00.5+01:00", 0.5), ("1970-01-01 00:00:01+00:00", 1)],
)
def test_a_time_is_itself(text: str, time: float) -> None:
    assert moment(text) == time


@pytest.mark.parametrize("text", ["", "10", "m", "10x", "-5m", "yesterday", "10m ago", "2026-13-01", "25:00"])
def test_no_other_text_is_a_moment(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        moment(text)
