from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.providers import subjects

DOCUMENT = {"id": "a", "a/b": "c", "m~n": "d", "": "e", "users": [{"id": 7}], "/id": "f"}


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("id", "a"),
        ("a/b", "c"),
        ("/a~1b", "c"),
        ("/m~0n", "d"),
        ("/", "e"),
        ("/users/0/id", 7),
        ("users/0/id", None),
        ("/users/1/id", None),
        ("/users/-/id", None),
        ("/users/id", None),
        ("/id/0", None),
        ("/nothing/at/all", None),
    ],
)
def test_a_field_is_found(field: str, found: object) -> None:
    assert subjects.find(DOCUMENT, field) == found


@pytest.mark.parametrize("value", [None, "", "a" * 256, "a\0", "a\nb", "\ud800", True, 1.5, ["a"], {}, 10**255])
def test_what_identifies_nobody_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="1 validation error"):
        subjects.subject(value)


@pytest.mark.parametrize(("value", "told"), [("account-1", "account-1"), (7, "7"), ("ä" * 255, "ä" * 255)])
def test_a_subject_is_text(value: object, told: str) -> None:
    assert subjects.subject(value) == told


@given(st.integers() | st.text())
def test_a_subject_can_be_stored(value: object) -> None:
    try:
        told = subjects.subject(value)
    except ValueError:
        return
    assert 1 <= len(told) <= subjects.MAX_SUBJECT_LENGTH
    assert "\0" not in told
    assert told.encode()
