"""Errors as problem details (RFC 9457), for every error that the app answers with."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.core import outages
from app.core.dependency_errors import explain
from app.http.middleware import HEADERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request


METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")

UNAVAILABLE = outages.KINDS
"""What the clients of the database and the cache raise when these can't be reached; see `require_outage`."""

log = structlog.get_logger(__name__)


class Fault(BaseModel):
    """One thing wrong with a request; never holds the value, which may be secret.

    Attributes:
        location: Where, outermost first.
        reason: Why.
    """

    location: list[str | int]
    reason: str


class Problem(BaseModel):
    """What went wrong.

    Attributes:
        type: Identifies the kind of problem; `about:blank` where the status says it all.
        title: The kind of problem, for people; the status's phrase where the type is `about:blank` (section 4.2.1).
        status: HTTP status.
        detail: What is wrong this time, and the way out.
        faults: Each thing that is wrong with the request.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    faults: list[Fault] | None = None


class ProblemResponse(JSONResponse):
    """A response that is a problem."""

    media_type = "application/problem+json"


def respond(problem: Problem, headers: Mapping[str, str] | None = None) -> ProblemResponse:
    """Make the response."""
    content = problem.model_dump(exclude_none=True)
    return ProblemResponse(content, problem.status, {**HEADERS, **(headers or {})})


def require_outage(error: Exception) -> None:
    """Log that a part that is needed is not available."""
    if not outages.is_outage(error):
        raise error
    log.warning("A part that is needed is not available", reason=explain(error).reason)


def install(app: FastAPI) -> None:
    """Answer every error of the app with a problem."""

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> ProblemResponse:
        title = HTTPStatus(error.status_code).phrase
        detail = None if error.detail == title else error.detail
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = _allowed(request)
        return respond(Problem(title=title, status=error.status_code, detail=detail), headers)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_request: Request, error: RequestValidationError) -> ProblemResponse:
        faults = [Fault(location=list(fault["loc"]), reason=fault["msg"]) for fault in error.errors()]
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        detail = "The request is not as the API describes it; faults says where."
        return respond(Problem(title=status.phrase, status=status, detail=detail, faults=faults))

    async def on_unavailable(_request: Request, error: Exception) -> ProblemResponse:
        require_outage(error)
        status = HTTPStatus.SERVICE_UNAVAILABLE
        detail = "The database or the cache can't be reached. Try again in a moment; /ready says which."
        return respond(Problem(title=status.phrase, status=status, detail=detail), {"Retry-After": "5"})

    for kind in UNAVAILABLE:
        app.add_exception_handler(kind, on_unavailable)

    @app.exception_handler(Exception)
    async def on_unexpected(_request: Request, _error: Exception) -> ProblemResponse:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return respond(Problem(title=status.phrase, status=status, detail="The cause is in the service's log."))


def _allowed(request: Request) -> str:
    # The router names the methods of the first route with this path alone (RFC 9110, section 15.5.6, asks for all).
    return ", ".join(method for method in METHODS if _answers(request, method))


def _answers(request: Request, method: str) -> bool:
    scope = {**request.scope, "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
