"""Errors as pages, for browsers; whoever asks for no page gets problem details."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.http import metrics, pages, problems, request_ids
from app.http.middleware import HEADERS
from app.http.pages import POLICY, Link, Page
from app.http.problems import Problem
from app.linking.errors import LinkingError
from app.linking.outcomes import page_of
from app.providers.interface import RefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import FastAPI, Request
    from starlette.responses import Response

    from app.linking.outcomes import Step

    Handler = Callable[[Request, Any], Awaitable[Response]]
    Maker = Callable[[Request, Any], Page]

MACHINES = ("/api/", "/internal/", "/health", "/ready", "/openapi.json", "/docs", "/static/")
"""Paths that never answer with a page of these."""

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
_STEPS: dict[str, Step] = {"refresh": "refresh", "disconnect": "disconnect"}
_FAULT = ("Something went wrong", "The cause is in the service's log.", _AGAIN)


def install(app: FastAPI) -> None:
    """Show every error to a browser as a page."""
    others = cast("dict[object, Handler]", dict(app.exception_handlers))
    makers: dict[type[Exception], tuple[Maker, Handler]] = {
        LinkingError: (_of_linking, _linking_problem),
        HTTPException: (_of_http, others[HTTPException]),
        RequestValidationError: (_of_invalid, others[RequestValidationError]),
        Exception: (_of_unexpected, others[Exception]),
        **{kind: (_of_unavailable, others[kind]) for kind in problems.UNAVAILABLE if kind in others},
    }
    for kind, (page_for, otherwise) in makers.items():
        app.add_exception_handler(kind, _handler(page_for, otherwise))


def wants_page(request: Request) -> bool:
    """Tell whether a page is the right answer: browsers ask for one, programs don't."""
    return "text/html" in request.headers.get("Accept", "") and not request.url.path.startswith(MACHINES)


def _handler(page_for: Maker, otherwise: Handler) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        if isinstance(error, LinkingError):
            metrics.linking(error.kind)
        if wants_page(request):
            response = _render(page_for(request, error))
            response.headers.update(getattr(error, "headers", None) or {})
        else:
            response = await otherwise(request, error)
        # After an unexpected error no middleware sees the response any more.
        response.headers.update(request_ids.headers())
        return response

    return handle


def _render(page: Page) -> Response:
    response = pages.render(page, home="/", reference=request_ids.current())
    response.headers.update({**HEADERS, "Content-Security-Policy": POLICY})
    return response


async def _linking_problem(_request: Request, error: LinkingError) -> Response:
    kind = f"urn:dashtam:problem:{error.kind}"
    return problems.respond(Problem(type=kind, title=error.title, status=error.status, detail=error.detail))


def _of_linking(request: Request, error: LinkingError) -> Page:
    step = _STEPS.get(request.url.path.rpartition("/")[2], "link")
    cause = error.__cause__
    words = str(cause) if isinstance(cause, RefusedError) else ""
    page = page_of(error.kind, error.status, step=step, words=words, otherwise=(error.title, error.detail))
    if step == "disconnect" and error.status == HTTPStatus.BAD_GATEWAY:
        return replace(page, way_out=Link("Forget the account", f"{request.url.path}?forget=true"))
    return page


def _of_http(_request: Request, error: HTTPException) -> Page:
    status = HTTPStatus(error.status_code)
    title, message, advice = _WORDS.get(status, _FAULT)
    return Page(status, title, message if error.detail == status.phrase else error.detail, advice=advice)


def _of_invalid(_request: Request, _error: RequestValidationError) -> Page:
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return Page(status, *_WORDS[status][:2], advice=_AGAIN)


def _of_unavailable(_request: Request, error: Exception) -> Page:
    problems.require_outage(error)
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return Page(status, *_WORDS[status][:2], advice=_AGAIN)


def _of_unexpected(_request: Request, _error: Exception) -> Page:
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return Page(status, *_FAULT[:2], advice=_AGAIN)
