from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft7Validator
from pydantic import TypeAdapter, ValidationError

from infra.config.values import (
    Duration,
    Filled,
    HttpsUrl,
    Identifier,
    Name,
    PinnedImage,
    RedirectUri,
    Size,
    numbers,
)

EXACT = {
    "size": Size,
    "duration": Duration,
    "identifier": Identifier,
    "name": Name,
    "image": PinnedImage,
    "filled": Filled,
}
DIGEST = "@sha256:" + "0123456789abcdef" * 4
URLS = (
    "https://a",
    "https://a:1/b",
    "https://[::1]:8182/",
    "https://a/b@c?d=e",
    "https://a?b",
    "https://a/b?c",
    "https://ä.example/ö",
)
IMAGES = ("postgres:17", f"postgres{DIGEST}", f"postgres:latest{DIGEST}", "localhost:5000/a/b:17.6", "postgres:latest2")
NOT_IMAGES = ("postgres", "postgres:latest", "localhost:5000/a", f"{DIGEST}", f"postgres{DIGEST}0", "postgres :17")
NOT_URLS = (
    "",
    "http://a",
    "https://",
    "https://:1",
    "https:///a",
    "https://u@a",
    "https://a#b",
    "https://a b",
    "a\nb",
)
KINDS = {"url": HttpsUrl, "redirect": RedirectUri, "image": PinnedImage, "filled": Filled}


def by_settings(kind: Any, value: str) -> bool:  # noqa: ANN401 - an annotated type
    try:
        TypeAdapter[object](kind).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def by_schema(kind: Any, value: str) -> bool:  # noqa: ANN401 - an annotated type
    return Draft7Validator(TypeAdapter[object](kind).json_schema()).is_valid(value)


@given(st.integers(1, 100_000), st.integers(1, 100_000), st.integers(0, 1_000_000))
def test_a_range_of_numbers_is_matched_exactly(lowest: int, width: int, number: int) -> None:
    highest = lowest + width
    pattern = re.compile(numbers(lowest, highest))
    for tried in (number, lowest - 1, lowest, highest, highest + 1):
        assert bool(pattern.fullmatch(str(tried))) == (lowest <= tried <= highest)
    assert not pattern.fullmatch(f"0{lowest}")


@pytest.mark.parametrize("kind", EXACT)
@given(text=st.from_regex(r"-?[0-9]{1,6}(ms|s|m|g|k)|[a-z_0-9A-Z-]{0,65}", fullmatch=True) | st.text(max_size=8))
def test_the_schema_says_what_the_settings_say(kind: str, text: str) -> None:
    assert by_schema(EXACT[kind], text) == by_settings(EXACT[kind], text)


@pytest.mark.parametrize("kind", KINDS)
@given(text=st.text() | st.sampled_from([*URLS, *IMAGES]).flatmap(lambda known: st.text(max_size=3).map(known.__add__)))
def test_the_schema_refuses_nothing_that_the_settings_accept(kind: str, text: str) -> None:
    assert by_schema(KINDS[kind], text) or not by_settings(KINDS[kind], text)


@pytest.mark.parametrize(
    ("kind", "text", "valid"),
    [
        *(("url", text, True) for text in URLS),
        *(("url", text, False) for text in NOT_URLS),
        *(("redirect", text, False) for text in [*NOT_URLS, "https://a?b=c", "https://a/b?"]),
        *(("image", text, True) for text in IMAGES),
        *(("image", text, False) for text in NOT_IMAGES),
        ("filled", "a b", True),
        *(("filled", text, False) for text in ("", " ", "a\nb", "\x7f")),
    ],
)
def test_what_both_say(kind: str, text: str, valid: bool) -> None:
    assert by_settings(KINDS[kind], text) == valid
    assert by_schema(KINDS[kind], text) == valid
