"""The callback server: takes the redirect of an OAuth provider and delivers it to the app over verified TLS.

It is a server of its own because providers redirect to an address registered with them, which stays the same
whatever the app does. It sees no session: cookies know no ports, so only the app can compare the browser with the one
that started.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, TypedDict, cast

import httpx2
import structlog
from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.callback.delivery import deliver
from app.callback.redirect import BadRedirectError, is_redirect, read, words
from app.core.settings import CallbackSettings
from app.core.tls import client_context
from app.http import pages
from app.http.middleware import HEADERS, BodyLimit, RequestIds, SecurityHeaders, request_id_header
from app.http.pages import Page

TIMEOUT = httpx2.Timeout(30.0, connect=3.0)
"""Seconds for the app to answer."""

INCOMPLETE = "This link is not complete"
START = Page(
    HTTPStatus.OK,
    "The callback server",
    "A provider sends you back to this address after you allowed or denied the link of an account.",
    advice="To link an account, begin on Dashtam's page.",
)
NOTHING = "There is nothing at this address."
FORM = "application/x-www-form-urlencoded"

log = structlog.get_logger(__name__)


class State(TypedDict):
    """What lives as long as the server: a client of the app, the app's address for browsers, and whether to debug."""

    app: httpx2.AsyncClient
    public_url: str
    debug: bool


def create_callback(settings: CallbackSettings) -> Starlette:
    """Make the callback server."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[State]:
        verify = client_context(settings.tls_ca_file)
        async with httpx2.AsyncClient(
            base_url=settings.app_url, verify=verify, timeout=TIMEOUT, trust_env=False
        ) as client:
            yield {"app": client, "public_url": settings.public_url, "debug": settings.debug}

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/ready", ready),
            Route("/static/{name}", static),
            Route("/{path:path}", receive, methods=["GET", "POST"]),
        ],
        middleware=[Middleware(RequestIds), Middleware(SecurityHeaders), Middleware(BodyLimit)],
        exception_handlers={HTTPException: on_http, Exception: on_unexpected},
        lifespan=lifespan,
    )


async def health(_request: Request) -> Response:
    """Answer while the process is alive."""
    return JSONResponse({"status": "ok"})


async def ready(_request: Request) -> Response:
    """Answer while redirects are taken; the app need not be up, since without it a page shows that it is down."""
    return JSONResponse({"status": "ready"})


async def static(request: Request) -> Response:
    """Serve the style sheet and the icon."""
    return pages.static(request.path_params["name"])


async def receive(request: Request[State]) -> Response:
    """Deliver a redirect to the app, and send the person there too, or show what went wrong."""
    given, path = await _parameters(request), request.url.path
    if path == "/" and not given and request.method != "POST":
        return _page(request, START)
    if path != "/" and not is_redirect(given):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    if request.method == "HEAD" and is_redirect(given):
        # Scanners of links ask so before the person does (RFC 9110, section 9.3.2), and a redirect counts once.
        raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, POST"})
    try:
        redirect = read(given, path)
    except BadRedirectError as error:
        log.warning("A redirect is not complete", reason=str(error), words=words(given))
        message = f"This address is where a provider sends you back to. {error}"
        return _page(request, Page(HTTPStatus.BAD_REQUEST, INCOMPLETE, message, words(given), "The address"))
    if request.method == "POST":
        redirect["response_mode"] = "form_post"
    outcome = await deliver(request.state["app"], redirect, request.state["public_url"])
    return _page(request, outcome) if isinstance(outcome, Page) else outcome


async def _parameters(request: Request[State]) -> QueryParams:
    """Return what a provider sends: the query, or the form of a page that posts itself (OAuth 2.0 Form Post)."""
    if request.method != "POST":
        return request.query_params
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != FORM:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"A provider posts {FORM} here.")
    try:
        return QueryParams(await request.body())
    except ClientDisconnect:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "The request was interrupted.") from None


def _page(request: Request[Any], page: Page) -> Response:
    return pages.render(page, home=f"{request.state.public_url}/", debug=request.state.debug)


async def on_http(request: Request, error: Exception) -> Response:
    """Show that there is no such page, no such method, or no such form."""
    refusal = cast("HTTPException", error)
    status = HTTPStatus(refusal.status_code)
    message = NOTHING if refusal.detail == status.phrase else refusal.detail
    response = _page(request, Page(status, status.phrase, message, advice=""))
    response.headers.update(refusal.headers or {})
    return response


async def on_unexpected(request: Request, _error: Exception) -> Response:
    """Show that the server failed. No middleware sees this response, so it gets its headers here."""
    page = Page(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong", "The cause is in the callback's log.")
    response = _page(request, page)
    response.headers.update({**HEADERS, **request_id_header(), "Content-Security-Policy": pages.POLICY})
    return response
