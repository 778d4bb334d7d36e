from __future__ import annotations

import pytest

from cli.core.durations import seconds


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
