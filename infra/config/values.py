"""The kinds of values in a stack's config that plain types can't tell: sizes, durations, names, URLs, images.

Each check says why a value is refused and what would be right; `infra.config.errors` adds the key and the value.
"""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field

from infra.config import patterns as config_patterns

_SIZE = re.compile(r"([1-9][0-9]{0,8})([mg])")
_DURATION = re.compile(r"([1-9][0-9]{0,8})(ms|s|m)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}
_IMAGE = re.compile(
    r"[a-z0-9][a-z0-9._-]*(?::[0-9]+(?=/))?(?:/[a-z0-9][a-z0-9._-]*)*"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?P<digest>@sha256:[0-9a-f]{64})?"
)
"""A reference as the engine reads it: registry and path, tag, digest (github.com/distribution/reference)."""


def megabytes(size: str) -> int:
    """Convert a size of the config.

    Args:
        size: A whole number with the unit `m` or `g`, such as `512m`.

    Returns:
        Mebibytes.

    Raises:
        ValueError: The text is no such size.
    """
    match = _SIZE.fullmatch(size)
    if not match:
        raise ValueError("a size is a whole number with the unit m or g; write 512m or 2g")
    return int(match[1]) * (1024 if match[2] == "g" else 1)


def seconds(duration: str) -> float:
    """Convert a duration of the config.

    Args:
        duration: A whole number with the unit `ms`, `s` or `m`, such as `2s`.

    Returns:
        Seconds.

    Raises:
        ValueError: The text is no such duration.
    """
    match = _DURATION.fullmatch(duration)
    if not match:
        raise ValueError("a duration is a whole number with the unit ms, s or m; write 500ms, 2s or 1m")
    return int(match[1]) * _SECONDS[match[2]]


def engine_duration(length: float) -> str:
    """Write a duration as the engine reports it; another spelling would be taken for a change at every update.

    Args:
        length: Seconds, of whole milliseconds.

    Returns:
        The text of Go's `time.Duration.String`, such as `500ms`, `1.5s` or `1m30s`.
    """
    if length < 1:
        return f"{length * 1000:g}ms"
    minutes, rest = divmod(round(length * 1000), 60_000)
    return f"{minutes}m{rest / 1000:g}s" if minutes else f"{rest / 1000:g}s"


SIZE_RANGE = (16, 64 * 1024)
"""Mebibytes. The engine refuses less; more is a mistake on the machines that this is for."""

DURATION_RANGE = (0.1, 600.0)
"""Seconds."""


# These come before the check of the type, so that a number where a unit is due is told of the unit.
def _size(value: object) -> object:
    if not SIZE_RANGE[0] <= megabytes(_text(value)) <= SIZE_RANGE[1]:
        raise ValueError("the engine needs at least 16m and the program allows at most 64g; write 512m, for example")
    return value


def _duration(value: object) -> object:
    if not DURATION_RANGE[0] <= seconds(_text(value)) <= DURATION_RANGE[1]:
        raise ValueError("the range is 100ms to 10m; write 2s, for example")
    return value


def _identifier(value: object) -> object:
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", _text(value)):
        raise ValueError(
            "PostgreSQL names here are 1 to 63 lower-case letters, digits and underscores, no digit first;"
            " write dashtam_test, for example"
        )
    return value


def _redirect(value: object) -> object:
    if not _is_plain_https(_text(value)):
        raise ValueError(
            "an OAuth redirect URI is an absolute https URL with neither query, fragment nor user;"
            " write https://127.0.0.1:8182, for example"
        )
    return value


def _https(value: object) -> object:
    if not _is_https(_text(value)):
        raise ValueError("this is no absolute https URL without fragment and user; write https://example.org/token")
    return value


def _name(value: object) -> object:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", _text(value)):
        raise ValueError(
            "a name here is 1 to 32 lower-case letters, digits and hyphens, a letter first; write my-bank, for example"
        )
    return value


def _filled(value: object) -> object:
    text = _text(value)
    if not (text.strip() and text.isprintable()):
        raise ValueError("this is no line of text; write one, in quotes if YAML would take it for something else")
    return value


def _is_plain_https(text: str) -> bool:
    return _is_https(text) and "?" not in text


def _is_https(text: str) -> bool:
    try:
        parts = urlsplit(text)
        whole = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:  # an impossible port or address
        return False
    return whole and text.isprintable() and not re.search(r"[\s#\\]", text)


def _pinned(value: object) -> object:
    match = _IMAGE.fullmatch(_text(value))
    if not match or not (match["digest"] or match["tag"]) or (match["tag"] == "latest" and not match["digest"]):
        raise ValueError(
            "an image must be pinned, or it changes without a commit; give an exact tag such as"
            " postgres:17.6-alpine3.22, or a digest (@sha256:...)"
        )
    return value


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


Port = Annotated[int, Field(ge=1, le=65535)]
Size = Annotated[str, BeforeValidator(_size), config_patterns.SIZE]
Duration = Annotated[str, BeforeValidator(_duration), config_patterns.DURATION]
Identifier = Annotated[str, BeforeValidator(_identifier), config_patterns.IDENTIFIER]
RedirectUri = Annotated[str, BeforeValidator(_redirect), config_patterns.REDIRECT_URI]
HttpsUrl = Annotated[str, BeforeValidator(_https), config_patterns.HTTPS_URL]
Name = Annotated[str, BeforeValidator(_name), config_patterns.NAME]
Filled = Annotated[str, BeforeValidator(_filled), config_patterns.FILLED]
PinnedImage = Annotated[str, BeforeValidator(_pinned), config_patterns.PINNED_IMAGE]
