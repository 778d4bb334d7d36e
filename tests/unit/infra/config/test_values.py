from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
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
    engine_duration,
    megabytes,
    seconds,
)

DIGEST = "@sha256:" + "0123456789abcdef" * 4
ALMOST = st.from_regex(r"[0-9]{0,4}(ms|mb|s|m|g|h|k| )?", fullmatch=True) | st.text(max_size=8)


def accepts(kind: Any, value: object) -> bool:  # noqa: ANN401 - an annotated type
    try:
        kept = TypeAdapter[object](kind).validate_python(value, strict=True)
    except ValidationError:
        return False
    assert kept == value
    return True


@pytest.mark.parametrize(("size", "expected"), [("16m", 16), ("512m", 512), ("1g", 1024), ("64g", 65536)])
def test_sizes_are_mebibytes(size: str, expected: int) -> None:
    assert megabytes(size) == expected


@pytest.mark.parametrize(
    ("duration", "expected"), [("100ms", 0.1), ("2s", 2.0), ("90s", 90.0), ("1m", 60.0), ("10m", 600.0)]
)
def test_durations_are_seconds(duration: str, expected: float) -> None:
    assert seconds(duration) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        *((0.1, "100ms"), (0.25, "250ms"), (1, "1s"), (1.5, "1.5s"), (60, "1m0s"), (90, "1m30s"), (600, "10m0s")),
        *((3600, "1h0m0s"), (3601.5, "1h0m1.5s"), (4200, "1h10m0s"), (3_600_600, "1000h10m0s")),
    ],
)
def test_durations_are_written_as_the_engine_reports_them(length: float, text: str) -> None:
    assert engine_duration(length) == text


def go_text(milliseconds: int) -> str:
    """Return what Go's `time.Duration.String` returns."""
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    whole, fraction = divmod(milliseconds, 1000)
    written = f"{whole % 60}{f'.{fraction:03}'.rstrip('0') if fraction else ''}s"
    if whole >= 60:
        written = f"{whole // 60 % 60}m{written}"
    return f"{whole // 3600}h{written}" if whole >= 3600 else written


@given(milliseconds=st.integers(1, 4_000_000_000))
def test_every_duration_is_written_as_go_writes_it(milliseconds: int) -> None:
    assert engine_duration(milliseconds / 1000) == go_text(milliseconds)


@given(text=ALMOST)
def test_a_size_is_accepted_exactly_if_it_is_in_the_grammar_and_the_range(text: str) -> None:
    match = re.fullmatch(r"([1-9][0-9]*)([mg])", text)
    valid = bool(match) and 16 <= int(match[1]) * {"m": 1, "g": 1024}[match[2]] <= 65536 if match else False
    assert accepts(Size, text) is valid


@given(text=ALMOST)
def test_a_duration_is_accepted_exactly_if_it_is_in_the_grammar_and_the_range(text: str) -> None:
    match = re.fullmatch(r"([1-9][0-9]*)(ms|s|m)", text)
    valid = 100 <= int(match[1]) * {"ms": 1, "s": 1000, "m": 60_000}[match[2]] <= 600_000 if match else False
    assert accepts(Duration, text) is valid


@given(number=st.integers(16, 65536))
def test_every_size_in_the_range_is_accepted(number: int) -> None:
    assert accepts(Size, f"{number}m")
    assert megabytes(f"{number}m") == number


@pytest.mark.parametrize("text", ["", "m", "1", "01m", "-1m", "1 m", "1M", "1m\n", "1\u0662m", "9" * 5000 + "m"])
def test_neither_a_size_nor_a_duration(text: str) -> None:
    assert not accepts(Size, text)
    assert not accepts(Duration, text)


@pytest.mark.parametrize("name", ["a", "_", "dashtam_test", "a1", "x" * 63])
def test_identifiers(name: str) -> None:
    assert accepts(Identifier, name)


@pytest.mark.parametrize("name", ["", "1a", "A", "a-b", "a b", "x" * 64, "ä", "a\n", "a;drop", 'a"', 1, None])
def test_not_identifiers(name: object) -> None:
    assert not accepts(Identifier, name)


@pytest.mark.parametrize(
    "uri",
    ["https://127.0.0.1:8182", "https://callback:8182", "https://[::1]:8182/", "https://example.org/oauth/callback"],
)
def test_redirect_uris(uri: str) -> None:
    assert accepts(RedirectUri, uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "http://127.0.0.1:8182",
        "127.0.0.1:8182",
        "https://",
        "https://:8182",
        "https:///path",
        "https://a?",
        "https://a?b=c",
        "https://a#",
        "https://a#b",
        "https://user@a",
        "https://:password@a",
        "https://a:0",
        "https://a:65536",
        "https://a:port",
        "https://[::1",
        "https://a b",
        "https://a\n",
        "https://a\\b",
        8182,
    ],
)
def test_not_redirect_uris(uri: object) -> None:
    assert not accepts(RedirectUri, uri)


@pytest.mark.parametrize("url", ["https://bank.example/oauth?p=policy", "https://bank.example", "https://[::1]:1/a"])
def test_https_urls(url: str) -> None:
    assert accepts(HttpsUrl, url)


@pytest.mark.parametrize("url", ["", "http://a", "https://a#b", "https://u@a", "https://", "https://a b", None])
def test_not_https_urls(url: object) -> None:
    assert not accepts(HttpsUrl, url)


@pytest.mark.parametrize(
    ("name", "valid"),
    [("a", True), ("my-bank-2", True), ("x" * 32, True), ("x" * 33, False), ("", False), ("2a", False), ("A", False),
     ("a_b", False), ("a\n", False), (1, False)],
)  # fmt: skip
def test_names(name: object, valid: bool) -> None:
    assert accepts(Name, name) is valid


@pytest.mark.parametrize(("text", "valid"), [("a b", True), ("ä", True), ("", False), (" ", False), ("a\nb", False)])
def test_filled_text(text: str, valid: bool) -> None:
    assert accepts(Filled, text) is valid


@pytest.mark.parametrize(
    "image",
    [
        "postgres:17.6-alpine3.22",
        "postgres:17",
        "dashtam-debian/postgres:0123456789ab",
        "localhost:5000/team/postgres:17.6",
        f"postgres{DIGEST}",
        f"postgres:17.6{DIGEST}",
        f"postgres:latest{DIGEST}",
    ],
)
def test_pinned_images(image: str) -> None:
    assert accepts(PinnedImage, image)


@pytest.mark.parametrize(
    "image",
    [
        "",
        "postgres",
        "postgres:",
        "postgres:latest",
        ":17",
        "localhost:5000/postgres",
        "localhost:5000/postgres:latest",
        "postgres :17",
        "postgres:17 ",
        "postgres:17\n",
        "postgres:seventeen@latest",
        "postgres@sha256:ab",
        f"postgres{DIGEST}0",
        f"{DIGEST}",
        "postgres:\u0661\u0667",
        17,
    ],
)
def test_unpinned_images(image: object) -> None:
    assert not accepts(PinnedImage, image)
