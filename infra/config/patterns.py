"""What a JSON Schema can say of the kinds of values in a stack's config: for editors, which know nothing of Python.

`infra.config.values` decides; a pattern here refuses nothing that it accepts, and as much as can be of what it refuses.
Patterns are of ECMA 262.
"""

from __future__ import annotations

from pydantic import WithJsonSchema


def numbers(lowest: int, highest: int) -> str:
    """Write a pattern for the whole numbers of a range, without leading zeros.

    Args:
        lowest: The least, at least 1.
        highest: The greatest.

    Returns:
        Alternatives such as `1[6-9]|[2-9][0-9]`.
    """
    parts = []
    while lowest <= highest:
        size = 1
        while lowest % (size * 10) == 0 and lowest + size * 10 - 1 <= highest:
            size *= 10
        first = lowest // size % 10
        last = min(9, first + (highest - lowest + 1) // size - 1)
        parts.append(f"{lowest // size // 10 or ''}[{first}-{last}]{'[0-9]' * (len(str(size)) - 1)}")
        lowest += (last - first + 1) * size
    return "|".join(parts)


def _text(pattern: str, otherwise: str) -> WithJsonSchema:
    """Describe a text; `patternErrorMessage` is what VS Code and the YAML language server show in a pattern's stead."""
    return WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern})$", "patternErrorMessage": otherwise})


SIZE = _text(
    f"(?:{numbers(16, 64 * 1024)})m|(?:{numbers(1, 64)})g", "A whole number of m or g, from 16m to 64g, such as 512m."
)
DURATION = _text(
    f"(?:{numbers(100, 600_000)})ms|(?:{numbers(1, 600)})s|(?:{numbers(1, 10)})m",
    "A whole number of ms, s or m, from 100ms to 10m, such as 2s.",
)
IDENTIFIER = _text(
    "[a-z_][a-z0-9_]{0,62}", "A name of 1 to 63 lower-case letters, digits and underscores, no digit first."
)
NAME = _text("[a-z][a-z0-9-]{0,31}", "A name of 1 to 32 lower-case letters, digits and hyphens, a letter first.")
FILLED = _text(r"(?=.*\S)[^\u0000-\u001f\u007f]+", "A line of text.")
_HTTPS = r"[hH][tT][tT][pP][sS]://[^\s#@\\/?:][^\s#@\\/?]*"
HTTPS_URL = _text(rf"{_HTTPS}(?:[/?][^\s#\\]*)?", "An absolute https URL without fragment and user.")
REDIRECT_URI = _text(rf"{_HTTPS}(?:/[^\s#\\?]*)?", "An absolute https URL with neither query, fragment nor user.")
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
PINNED_IMAGE = _text(
    r"[a-z0-9][a-z0-9._-]*(?::[0-9]+(?=/))?(?:/[a-z0-9][a-z0-9._-]*)*"
    rf"(?::(?!latest$){_TAG}|(?::{_TAG})?@sha256:[0-9a-f]{{64}})",
    "An image by an exact tag, such as postgres:17.6-alpine3.22, or by a digest (@sha256:...).",
)
