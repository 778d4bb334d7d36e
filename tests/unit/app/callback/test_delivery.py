from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.callback.delivery import is_ours

PUBLIC = "https://localhost:8000"


@given(st.text(max_size=30), st.text(max_size=30))
def test_only_the_end_of_linking_is_ours(before: str, after: str) -> None:
    url = f"{before}{PUBLIC}/finish?receipt={'r' * 43}{after}"
    allowed = not before and all(c.isascii() and (c.isalnum() or c in "-_") for c in after)
    assert is_ours(url, PUBLIC) == allowed


@pytest.mark.parametrize("public_url", ["https://app:8000", "https://localhost:800", "https://localhost:80001"])
def test_another_app_s_is_not(public_url: str) -> None:
    assert not is_ours(f"{PUBLIC}/finish?receipt={'r' * 43}", public_url)
