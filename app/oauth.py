"""Where the callback server delivers what a provider sent back."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from app.problems import Problem, ProblemResponse

router = APIRouter(prefix="/internal/oauth", tags=["internal"])

UNKNOWN_STATE = Problem(
    type="urn:dashtam:problem:unknown-state",
    title="Unknown state",
    status=HTTPStatus.BAD_REQUEST,
    detail="No authorization with this state was started, or it has ended. Start linking the account again.",
)


class Redirect(BaseModel):
    """A provider's answer (RFC 6749, sections 4.1.2 and 4.1.2.1): a code or an error.

    Attributes:
        state: Ties the answer to the authorization that asked for it.
        code: Exchanged for tokens.
        error: The provider's error code.
        error_description: The provider's explanation.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Annotated[str, Field(min_length=1, max_length=512)]
    code: Annotated[SecretStr, Field(min_length=1, max_length=4096)] | None = None
    error: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    error_description: Annotated[str, Field(max_length=2048)] | None = None

    @model_validator(mode="after")
    def _code_or_error(self) -> Redirect:
        if (self.code is None) == (self.error is None):
            raise ValueError("either code or error is needed")
        return self


@router.post(
    "/callback",
    status_code=HTTPStatus.BAD_REQUEST,
    response_class=ProblemResponse,
    response_model_exclude_none=True,
    responses={HTTPStatus.UNPROCESSABLE_ENTITY.value: {"model": Problem}},
)
async def receive(redirect: Redirect) -> Problem:
    """Take a provider's answer. No authorization can be pending yet, so every state is unknown."""
    del redirect
    return UNKNOWN_STATE
