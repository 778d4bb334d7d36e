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
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.callback.delivery import deliver
from app.callback.redirect import BadRedirectError, is_redirect, read, words
from app.core.settings import CallbackSettings
from app.core.tls import client_context
from app.http import pages
from app.http.middleware import HEADERS, RequestIds, SecurityHeaders, request_id_header
from app.http.pages import Page

TIMEOUT = httpx2.Timeout(30.0, connect=3.0)
"""Seconds for the app to answer."""

INCOMPLETE = "This link is not complete"

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
            Route("/{path:path}", receive),
        ],
        middleware=[Middleware(RequestIds), Middleware(SecurityHeaders)],
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
    query, path = request.query_params, request.url.path
    if path != "/" and not is_redirect(query):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    if request.method == "HEAD" and is_redirect(query):
        # Scanners of links ask so before the person does (RFC 9110, section 9.3.2), and a redirect counts once.
        raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET"})
    try:
        redirect = read(query, path)
    except BadRedirectError as error:
        log.warning("A redirect is not complete", reason=str(error), words=words(query))
        message = f"This address is where a provider sends you back to. {error}"
        return _page(request, Page(HTTPStatus.BAD_REQUEST, INCOMPLETE, message, words(query), "The address"))
    outcome = await deliver(request.state["app"], redirect, request.state["public_url"])
    return _page(request, outcome) if isinstance(outcome, Page) else outcome


def _page(request: Request[Any], page: Page) -> Response:
    return pages.render(page, home=f"{request.state.public_url}/", debug=request.state.debug)


async def on_http(request: Request, error: Exception) -> Response:
    """Show that there is no such page, or no such method."""
    status = HTTPStatus(cast("HTTPException", error).status_code)
    response = _page(request, Page(status, status.phrase, "There is nothing at this address.", advice=""))
    response.headers.update(cast("HTTPException", error).headers or {})
    return response


async def on_unexpected(request: Request, _error: Exception) -> Response:
    """Show that the server failed. No middleware sees this response, so it gets its headers here."""
    page = Page(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong", "The cause is in the callback's log.")
    response = _page(request, page)
    response.headers.update({**HEADERS, **request_id_header(), "Content-Security-Policy": pages.POLICY})
    return response
