from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.linking.relative_time import WARNING, relative_time, standing
from tests.unit.app.browsing import connection

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


@pytest.mark.parametrize(
    ("status", "left", "word"),
    [
        ("active", None, "Active"),
        ("active", 1, "Active"),
        ("active", 0, "Not renewed"),
        ("active", -1, "Not renewed"),
        ("expired", 1, "Expired"),
        ("revoked", -1, "Revoked"),
    ],
)
def test_standing(status: str, left: int | None, word: str) -> None:
    ends = None if left is None else NOW + timedelta(seconds=left)
    found = standing(connection(status=status, expires_at=ends), NOW)
    assert found.word == word
    assert (found.hint == "") == (word == "Active")
    assert found.ended == (word == "Not renewed")


@pytest.mark.parametrize(
    ("left", "word"),
    [(None, "Active"), (timedelta(days=3), "Active"), (WARNING, "Ends soon"), (timedelta(days=-1), "Ends soon")],
)
def test_the_end_of_a_link_is_warned_of(left: timedelta | None, word: str) -> None:
    ends = None if left is None else NOW + left
    found = standing(connection(link_ends_at=ends, expires_at=NOW + timedelta(minutes=5)), NOW)
    assert (found.word, found.ended) == (word, False)
    assert (
        ("Sandbox ends this link soon" in found.hint) == ("Connect the account again" in found.hint) == bool(found.hint)
    )
    assert standing(connection(link_ends_at=ends, expires_at=NOW), NOW).word == "Not renewed"
