from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.core.errors import UserError
from cli.core.redaction import without_credentials

WORD = st.text(st.characters(categories=["L", "N"], include_characters="-._~%:@!$&*+,;="), min_size=6)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:secret@proxy:3128: refused", "http://***@proxy:3128: refused"),
        ("('https://token@mirror.example/x', 2)", "('https://***@mirror.example/x', 2)"),
        ("see https://example.com/a@b", "see https://example.com/a@b"),
        ("mail me@example.com", "mail me@example.com"),
        ("ssh://me@build and ssh://me:secret@build", "ssh://me@build and ssh://***@build"),
        ("a http://u:p@one and https://u:p@ss@two/x", "a http://***@one and https://***@two/x"),
    ],
)
def test_urls_are_shown_without_credentials(text: str, shown: str) -> None:
    assert without_credentials(text) == shown


@given(WORD)
def test_no_password_is_shown(password: str) -> None:
    assert f":{password}" not in without_credentials(f"ProxyError: http://me:{password}@proxy.example:3128/")


def test_an_error_has_none_in_any_of_its_parts() -> None:
    error = UserError("http://u:p@a", cause="http://u:p@b", remedy="http://u:p@c")
    assert "u:p" not in f"{error} {error.message} {error.cause} {error.remedy}"
