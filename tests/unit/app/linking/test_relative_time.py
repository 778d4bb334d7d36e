from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.linking.relative_time import relative_time

NOW = datetime(2026, 3, 15, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(), "just now"),
        (timedelta(seconds=-59), "just now"),
        (timedelta(seconds=59), "in less than a minute"),
        (timedelta(seconds=60), "in 1 minute"),
        (timedelta(minutes=-59), "59 minutes ago"),
        (timedelta(hours=1), "in 1 hour"),
        (timedelta(hours=-2), "2 hours ago"),
        (timedelta(days=1), "in 1 day"),
        (timedelta(days=-13), "13 days ago"),
    ],
)
def test_words(distance: timedelta, words: str) -> None:
    assert f">{words} <span" in relative_time(NOW + distance, NOW)


@pytest.mark.parametrize(("days", "words"), [(-14, "1 March 2026, 12:30 UTC"), (30, "14 April 2026, 12:30 UTC")])
def test_what_is_far_needs_no_words(days: int, words: str) -> None:
    assert f">{words}</time>" in relative_time(NOW + timedelta(days=days), NOW)


def test_exact_for_machines_and_for_people() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5)))
    assert relative_time(elsewhere, NOW) == (
        '<time datetime="2026-03-15T12:30:00+00:00">just now <span class="exact">15 March 2026, 12:30 UTC</span></time>'
    )
