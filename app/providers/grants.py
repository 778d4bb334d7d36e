"""What a token endpoint grants (RFC 6749, section 5): providers are not always as exact as they should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from app.providers.calls import refusal
from app.providers.config import Scope
from app.providers.errors import UnavailableError

LONGEST = 10 * 365 * 24 * 60 * 60
"""Seconds that a token may last: ten years; a longer one has another unit, or none."""


@dataclass(frozen=True)
class Grant:
    """What a provider gave for a code or a refresh token."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)  # None if the provider gives none
    expires_at: datetime | None  # None if the provider gives none
    scopes: Sequence[str] | None  # None where the answer has none: they are as before
    subject: str | None  # the provider's identifier of the account; None at a refresh


def _words(value: object) -> object:
    return value.split() if isinstance(value, str) else value


# Some providers send an empty value instead of none: an empty text, or zero seconds for a token without end.
_Unsaid = BeforeValidator(lambda value: value or None)

Token = Annotated[str, Field(pattern=r"^[\x20-\x7e]+$")]
"""As RFC 6749, appendix A.12 and A.17, has it."""


class TokenResponse(BaseModel):
    """A successful answer; other fields are ignored."""

    model_config = ConfigDict(hide_input_in_errors=True)

    access_token: Token
    token_type: Annotated[str, Field(pattern=r"^(?i:bearer)$")]
    refresh_token: Annotated[Token | None, _Unsaid] = None
    expires_in: Annotated[Annotated[int, Field(gt=0, le=LONGEST)] | None, _Unsaid] = None
    scope: Annotated[tuple[Scope, ...] | None, _Unsaid, BeforeValidator(_words)] = None


def read_grant(document: Mapping[str, object]) -> Grant:
    """Read a token endpoint's answer; the grant has no subject, and no scopes where the answer has none."""
    # Some give an error with the status 200.
    if document.get("error"):
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
