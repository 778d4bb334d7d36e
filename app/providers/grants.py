"""What a token endpoint grants (RFC 6749, section 5): providers are not always as exact as they should be.

What a token can't be used without is read strictly; of the rest, an odd value counts as none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from app.providers.calls import refusal, words
from app.providers.config import SCOPE
from app.providers.errors import UnavailableError

MAX_TOKEN_LIFETIME = 10 * 365 * 24 * 60 * 60
"""Seconds that a token may last: ten years; a longer one is meant to have no end."""

TOKEN = r"^[\x20-\x7e]+$"  # noqa: S105 - a pattern
"""As RFC 6749, appendix A.12 and A.17, has it."""


@dataclass(frozen=True)
class Grant:
    """What a provider gave for a code or a refresh token."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)  # None if the provider gives none
    expires_at: datetime | None  # None if the provider gives none
    scopes: Sequence[str] | None  # None where the answer has none: they are as before
    subject: str | None  # the provider's identifier of the account; None at a refresh
    issuer: str | None = None  # who gave it, see `Provider.issuer`
    link_ends_at: datetime | None = None  # None if the provider sets no end, and at a refresh


def _refresh_token(value: object) -> str | None:
    return value if isinstance(value, str) and re.fullmatch(TOKEN, value) else None


def _seconds(value: Any) -> int | None:  # noqa: ANN401 - whatever JSON can spell
    """Return a lifetime; zero, less and far too much stand for none, as NaN and other texts do."""
    try:
        seconds = 0.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return int(seconds) if 1 <= seconds <= MAX_TOKEN_LIFETIME else None


def _scopes(value: object) -> tuple[str, ...] | None:
    """Return the scopes of a list, or of a text with spaces (RFC 6749, section 3.3) or commas (GitHub) in between."""
    parts = value if isinstance(value, list) else [value]
    words = [word for part in parts if isinstance(part, str) for word in re.split(r"[\s,]+", part)]
    return tuple(dict.fromkeys(word for word in words if re.fullmatch(SCOPE, word))) or None


class TokenResponse(BaseModel, hide_input_in_errors=True):
    """A successful answer; other fields are ignored."""

    access_token: Annotated[str, Field(pattern=TOKEN)]
    # Of another type it could not be used. Some leave it out, and Apigee's name is another.
    token_type: Annotated[
        str, Field(pattern=r"^(?i:bearer(token)?)$"), BeforeValidator(lambda value: value or "bearer")
    ] = "bearer"  # noqa: S105 - a type, no secret
    refresh_token: Annotated[str | None, BeforeValidator(_refresh_token)] = None
    expires_in: Annotated[int | None, BeforeValidator(_seconds)] = None
    scope: Annotated[tuple[str, ...] | None, BeforeValidator(_scopes)] = None


def read_grant(document: Mapping[str, object]) -> Grant:
    """Read a token endpoint's answer; the grant has no subject, and no scopes where the answer has none."""
    # Some give an error with the status 200.
    if document.get("error") or ("access_token" not in document and any(words(document))):
        raise refusal(document, "error")
    try:
        response = TokenResponse.model_validate(document)
    except ValidationError as error:
        fields = ", ".join(dict.fromkeys(str(fault["loc"][0]) for fault in error.errors()))
        raise UnavailableError(f"the provider's answer for tokens is not valid: {fields}") from None
    lifetime = response.expires_in
    return Grant(
        access_token=response.access_token,
        refresh_token=response.refresh_token,
        expires_at=None if lifetime is None else datetime.now(UTC) + timedelta(seconds=lifetime),
        scopes=response.scope,
        subject=None,
    )
