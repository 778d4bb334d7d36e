"""What a provider sent back, as the callback server hands it on."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class Redirect(BaseModel):
    """A provider's answer (RFC 6749, sections 4.1.2 and 4.1.2.1; RFC 9207): a code or an error.

    Attributes:
        state: Ties the answer to the authorization that asked for it.
        code: Exchanged for tokens.
        error: The provider's error code.
        error_description: The provider's explanation.
        iss: Who answers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Annotated[SecretStr, Field(min_length=1, max_length=512)]
    code: Annotated[SecretStr, Field(min_length=1, max_length=4096)] | None = None
    error: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    error_description: Annotated[str, Field(max_length=2048)] | None = None
    iss: Annotated[str, Field(max_length=2048)] | None = None

    @model_validator(mode="after")
    def _code_or_error(self) -> Redirect:
        if (self.code is None) == (self.error is None):
            raise ValueError("either code or error is needed")
        return self
