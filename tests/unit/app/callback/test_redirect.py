from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from app.callback.redirect import BadRedirectError, read
from app.linking.schemas import LIMITS


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=s&code=c", {"state": "s", "code": "c"}),
        ("state=s&code=c&scope=accounts", {"state": "s", "code": "c"}),
        ("state=s&code=c&iss=https://p.test", {"state": "s", "code": "c", "iss": "https://p.test"}),
        ("state=s&error=e&iss=i", {"state": "s", "error": "e", "iss": "i"}),
        ("state=s&code=c&error=", {"state": "s", "code": "c"}),
        ("state=s&error=access_denied", {"state": "s", "error": "access_denied"}),
        ("state=s&error=e&error_description=No+way", {"state": "s", "error": "e", "error_description": "No way"}),
    ],
)
def test_reads(query: str, found: dict[str, str]) -> None:
    assert read(QueryParams(query)) == found


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "It gives no state."),
        ("code=c", "It gives no state."),
        ("state=&code=c", "It gives no state."),
        ("state=s", "It must give either a code or an error."),
        ("state=s&code=c&error=e", "It must give either a code or an error."),
        ("state=s&state=t&code=c", "It gives state more than once."),
        ("state=s&code=c&code=c", "It gives code more than once."),
        ("state=s&code=c&iss=a&iss=b", "It gives iss more than once."),
    ],
)
def test_refuses(query: str, reason: str) -> None:
    with pytest.raises(BadRedirectError) as caught:
        read(QueryParams(query))
    assert str(caught.value) == reason


@pytest.mark.parametrize("name", LIMITS)
def test_limits_are_inclusive(name: str) -> None:
    base = {"state": "s", "error": "e"} if name.startswith("error") else {"state": "s", "code": "c"}
    longest = {**base, name: "x" * LIMITS[name]}
    assert read(QueryParams(longest)) == longest
    with pytest.raises(BadRedirectError, match=f"Its {name} is longer than {LIMITS[name]} characters."):
        read(QueryParams({**longest, name: "x" * (LIMITS[name] + 1)}))


REASONS = {
    "It gives no state.",
    "It must give either a code or an error.",
    *(f"It gives {name} more than once." for name in LIMITS),
}


@given(st.lists(st.tuples(st.sampled_from([*LIMITS, "other"]), st.text(max_size=20))))
def test_never_repeats_what_it_refuses(pairs: list[tuple[str, str]]) -> None:
    reason, found = "", {"code": ""}
    try:
        found = read(QueryParams(pairs))
    except BadRedirectError as error:
        reason = str(error)
    assert reason in {"", *REASONS}
    assert reason or found.items() <= set(pairs)
    assert ("code" in found) != ("error" in found)
