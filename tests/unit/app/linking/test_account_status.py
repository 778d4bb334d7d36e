from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.linking.account_status import WARNING, account_status
from tests.unit.app.browsing import connection

NOW = datetime(2026, 3, 15, 12, 30, tzinfo=UTC)


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
def test_the_status_of_an_account(status: str, left: int | None, word: str) -> None:
    ends = None if left is None else NOW + timedelta(seconds=left)
    found = account_status(connection(status=status, expires_at=ends), NOW)
    assert found.word == word
    assert (found.hint == "") == (word == "Active")
    assert found.ended == (word == "Not renewed")


@pytest.mark.parametrize(
    ("left", "word"),
    [(None, "Active"), (timedelta(days=3), "Active"), (WARNING, "Ends soon"), (timedelta(days=-1), "Ends soon")],
)
def test_the_end_of_a_link_is_warned_of(left: timedelta | None, word: str) -> None:
    ends = None if left is None else NOW + left
    found = account_status(connection(link_ends_at=ends, expires_at=NOW + timedelta(minutes=5)), NOW)
    assert (found.word, found.ended) == (word, False)
    assert (
        ("Sandbox ends this link soon" in found.hint) == ("Connect the account again" in found.hint) == bool(found.hint)
    )
    assert account_status(connection(link_ends_at=ends, expires_at=NOW), NOW).word == "Not renewed"
