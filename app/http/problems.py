"""Every error as problem details (RFC 9457), or as a page for a browser that asks for one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from app.core.dependency_errors import KINDS, explain, is_outage
from app.core.errors import described
from app.http import pages
from app.http.middleware import HEADERS, request_id_header
from app.http.pages import Page

METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")

MACHINES = ("/api/", "/internal/", "/health", "/ready", "/openapi.json", "/docs", "/static/")
"""Paths that never answer with an error page."""

_HOME = "Dashtam's first page shows where you can go on."
_AGAIN = "Go back to Dashtam, and try again from there."
_WORDS = {
    HTTPStatus.BAD_REQUEST: ("This request can't be read", "Something in it is missing or too long.", _AGAIN),
    HTTPStatus.FORBIDDEN: ("This request was refused", "It doesn't belong to your session.", _AGAIN),
    HTTPStatus.NOT_FOUND: ("There is nothing here", "No page has this address.", _HOME),
    HTTPStatus.METHOD_NOT_ALLOWED: ("There is nothing here", "This address works only from a button.", _HOME),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("This request is too large", "No form of Dashtam sends as much.", _AGAIN),
    HTTPStatus.UNPROCESSABLE_ENTITY: ("This request is not complete", "Something in it is missing or wrong.", _AGAIN),
    HTTPStatus.TOO_MANY_REQUESTS: ("Too many tries", "This was tried too often in a short time.", _HOME),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Dashtam is not available", "A part of it can't be reached.", _AGAIN),
}
_FAULT = ("Something went wrong", "The cause is in the service's log.", _AGAIN)

log = structlog.get_logger(__name__)


class Fault(BaseModel):
    """One thing wrong with a request; never holds the value, which may be secret."""

    location: list[str | int] = Field(description="Where, outermost first.")
    reason: str = Field(description="Why.")


class Problem(BaseModel):
    """What went wrong."""

    type: str = Field("about:blank", description="The kind of problem; `about:blank` where the status says it all.")
    title: str = Field(description="The kind, for people; the status's phrase where the type is `about:blank`.")
    status: int = Field(description="HTTP status.")
    detail: str | None = Field(None, description="What is wrong this time, and the way out.")
    faults: list[Fault] | None = Field(None, description="Each thing that is wrong with the request.")


class ProblemResponse(JSONResponse):
    """A response that is a problem."""

    media_type = "application/problem+json"


@dataclass(frozen=True)
class Answer:
    """What an error is answered with: a problem for programs, a page for browsers."""

    problem: Problem
    page: Page
    headers: Mapping[str, str] = field(default_factory=dict)


Describe = Callable[[Request, Any], Answer]


def install(app: FastAPI, describe: Mapping[type[Exception], Describe]) -> None:
    """Answer every error of the app; `describe` adds the errors of a feature."""
    known: dict[type[Exception], Describe] = {
        HTTPException: _of_http,
        RequestValidationError: _of_invalid,
        **dict.fromkeys(KINDS, _of_unavailable),
        Exception: _of_unexpected,
        **describe,
    }
    for kind, one in known.items():
        app.add_exception_handler(kind, _handler(one))


def wants_page(request: Request) -> bool:
    """Return whether a page is the right answer: browsers ask for one, programs don't."""
    return "text/html" in request.headers.get("Accept", "") and not request.url.path.startswith(MACHINES)


def _handler(describe: Describe) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, error: Exception) -> Response:
        answer = describe(request, error)
        # All headers are set here: after an unexpected error no middleware sees the response any more.
        headers = {**HEADERS, **answer.headers, **request_id_header()}
        if wants_page(request):
            debug = bool(getattr(getattr(request.app.state, "settings", None), "debug", False))
            response = pages.render(answer.page, home="/", debug=debug)
            headers["Content-Security-Policy"] = pages.POLICY
        else:
            response = ProblemResponse(answer.problem.model_dump(exclude_none=True), answer.problem.status)
        response.headers.update(headers)
        return response

    return handle


def _of_http(request: Request, error: HTTPException) -> Answer:
    status = HTTPStatus(error.status_code)
    detail = None if error.detail == status.phrase else error.detail
    title, message, advice = _WORDS.get(status, _FAULT)
    headers = dict(error.headers or {})
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = _allowed(request)
    problem = Problem(title=status.phrase, status=status, detail=detail)
    return Answer(problem, Page(status, title, detail or message, advice=advice), headers)


def _of_invalid(_request: Request, error: RequestValidationError) -> Answer:
    faults = [Fault(location=list(fault["loc"]), reason=fault["msg"]) for fault in error.errors()]
    detail = "The request is not as the API describes it; faults says where."
    return _of_status(HTTPStatus.UNPROCESSABLE_ENTITY, detail, faults=faults)


def _of_unavailable(_request: Request, error: Exception) -> Answer:
    if not is_outage(error):
        raise error  # a fault of the code, to be answered and logged as one
    log.warning("A part that is needed is not available", reason=explain(error).reason)
    detail = "The database or the cache can't be reached. Try again in a moment; /ready says which."
    return _of_status(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": "5"})


def _of_unexpected(_request: Request, error: Exception) -> Answer:
    answer = _of_status(HTTPStatus.INTERNAL_SERVER_ERROR, "The cause is in the service's log.")
    return replace(answer, page=replace(answer.page, reason=described(error)))


def _of_status(
    status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None, faults: list[Fault] | None = None
) -> Answer:
    title, message, advice = _WORDS.get(status, _FAULT)
    problem = Problem(title=status.phrase, status=status, detail=detail, faults=faults)
    return Answer(problem, Page(status, title, message, advice=advice), headers or {})


def _allowed(request: Request) -> str:
    # The router names the methods of the first route with this path alone (RFC 9110, section 15.5.6, asks for all).
    scopes = ((method, {**request.scope, "method": method}) for method in METHODS)
    routes = request.app.routes
    return ", ".join(method for method, scope in scopes if any(one.matches(scope)[0] is Match.FULL for one in routes))
