"""What a provider sent back, as the callback server hands it on."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from app.callback.redirect import LIMITS


class Redirect(BaseModel):
    """A provider's answer (RFC 6749, sections 4.1.2 and 4.1.2.1; RFC 9207): a code or an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    state: Annotated[SecretStr, Field(min_length=1, max_length=LIMITS["state"])]
    code: Annotated[SecretStr, Field(min_length=1, max_length=LIMITS["code"])] | None = None
    error: Annotated[str, Field(min_length=1, max_length=LIMITS["error"])] | None = None
    error_description: Annotated[str, Field(max_length=LIMITS["error_description"])] | None = None
    iss: Annotated[str, Field(max_length=LIMITS["iss"])] | None = None

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
