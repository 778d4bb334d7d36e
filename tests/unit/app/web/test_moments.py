from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.web.moments import moment

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
        (timedelta(days=-14), "1 March 2026"),
        (timedelta(days=30), "14 April 2026"),
    ],
)
def test_words(distance: timedelta, words: str) -> None:
    assert f">{words}</time>" in moment(NOW + distance, NOW)


def test_exact_for_machines_and_for_whoever_asks() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5)))
    assert moment(elsewhere, NOW) == (
        '<time datetime="2026-03-15T12:30:00+00:00" title="15 March 2026, 12:30 UTC">just now</time>'
    )


def test_counts_from_the_present() -> None:
    assert ">just now</time>" in moment(datetime.now(UTC))
