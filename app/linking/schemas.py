"""What the API takes and gives: never a token."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr, model_validator

LIMITS = {"state": 512, "code": 4096, "iss": 2048, "error": 256, "error_description": 2048}
"""Parameters of a redirect that are read, and how many characters each may have; others are ignored.

`iss` names the provider that answers (RFC 9207), so that one provider's answer can't be passed off as another's.
"""

LONGEST_PATH = 1024
"""Characters of the path that a redirect arrives at."""


class ProviderInfo(BaseModel):
    """A provider that accounts can be linked at."""

    name: str = Field(description="Short name.")
    title: str = Field(description="Name for people.")


class ConnectionInfo(BaseModel):
    """A linked account."""

    id: UUID = Field(description="Key.")
    provider: str = Field(description="Short name of the provider.")
    title: str = Field(description="The provider's name for people.")
    subject: str = Field(description="The provider's own identifier of the account.")
    status: Literal["active", "expired", "revoked"] = Field(description="Where the connection stands.")
    scopes: list[str] = Field(description="What the provider allowed.")
    created_at: datetime = Field(description="When it was made.")
    updated_at: datetime = Field(description="When it last changed.")
    expires_at: datetime | None = Field(
        None, description="When the access ends unless it is refreshed; None if the provider doesn't say."
    )
    link_ends_at: datetime | None = Field(
        None, description="When the provider ends the link, refreshed or not; None if it sets no end."
    )


class ConnectionPage(BaseModel):
    """Some of a person's connections."""

    items: list[ConnectionInfo] = Field(description="The connections, the youngest first.")
    next: str | None = Field(None, description="Where the next page starts; None if this is the last.")


class Started(BaseModel):
    """A link that was started."""

    authorization_url: str = Field(description="Where the person's browser must go, in the session that started it.")


class Disconnected(BaseModel):
    """A connection that was forgotten."""

    revoked: bool = Field(description="Whether its tokens are revoked; if not, revoke them at the provider.")


class Received(BaseModel):
    """A provider's answer that was accepted, and where the browser continues."""

    continue_url: str


class Redirect(BaseModel, extra="forbid", frozen=True, hide_input_in_errors=True):
    """A provider's answer (RFC 6749, sections 4.1.2 and 4.1.2.1; RFC 9207): a code or an error."""

    state: Annotated[SecretStr, Field(min_length=1, max_length=LIMITS["state"])]
    code: Annotated[SecretStr, Field(min_length=1, max_length=LIMITS["code"])] | None = None
    error: Annotated[str, Field(min_length=1, max_length=LIMITS["error"])] | None = None
    error_description: Annotated[str, Field(max_length=LIMITS["error_description"])] | None = None
    iss: Annotated[str, Field(max_length=LIMITS["iss"])] | None = None
    path: Annotated[str, Field(max_length=LONGEST_PATH)] = "/"  # where it arrived
    response_mode: Literal["query", "form_post"] = "query"  # how it arrived

    @model_validator(mode="before")
    @classmethod
    def _unicode(cls, given: object) -> object:
        # JSON can spell half of a surrogate pair (RFC 8259, section 8.2), which no encoder takes: neither that of a
        # digest nor that of an answer that names it.
        try:
            json.dumps(given, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("this is no Unicode text") from None
        return given

    @model_validator(mode="after")
    def _code_or_error(self) -> Redirect:
        if (self.code is None) == (self.error is None):
            raise ValueError("either code or error is needed")
        return self
