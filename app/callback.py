"""The callback server: takes the redirect of an OAuth provider and hands it to the app over verified TLS.

It stands apart from the app because providers redirect to an address registered with them, which stays the same
whatever the app does.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, TypedDict, cast

import httpx2
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app import pages
from app.pages import Page
from app.redirects import BadRedirectError, read
from app.security import HEADERS, SecurityHeaders
from app.tls import client_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.settings import CallbackSettings

DELIVERY = "/internal/oauth/callback"
TIMEOUT = httpx2.Timeout(10.0, connect=3.0)
"""Seconds for the app to answer."""

log = structlog.get_logger(__name__)


class State(TypedDict):
    """What lives as long as the server.

    Attributes:
        app: Client of the app.
    """

    app: httpx2.AsyncClient


def create_callback(settings: CallbackSettings, transport: httpx2.AsyncBaseTransport | None = None) -> Starlette:
    """Make the callback server.

    Args:
        settings: Where the app is.
        transport: How to reach it, where that is not the network.

    Returns:
        The server.
    """

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[State]:
        verify = client_context(settings.tls_ca_file)
        async with httpx2.AsyncClient(
            base_url=settings.app_url, verify=verify, timeout=TIMEOUT, trust_env=False, transport=transport
        ) as client:
            yield {"app": client}

    return Starlette(
        routes=[Route("/", receive), Route("/health", health), Route("/style.css", style)],
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={HTTPException: on_http, Exception: on_unexpected},
        lifespan=lifespan,
    )


async def health(_request: Request) -> Response:
    """Say that the process is alive."""
    return JSONResponse({"status": "ok"})


async def style(_request: Request) -> Response:
    """Serve the pages' style sheet."""
    return pages.style()


async def receive(request: Request[State]) -> Response:
    """Take a redirect, hand it on, and say what came of it."""
    try:
        redirect = read(request.query_params)
    except BadRedirectError as error:
        message = f"This address is where a provider sends you back to. {error}"
        return pages.render(Page(HTTPStatus.BAD_REQUEST, "This link is not complete", message))
    outcome = await deliver(request.state["app"], redirect)
    return pages.render(refusal(redirect) if "error" in redirect else outcome)


def refusal(redirect: dict[str, str]) -> Page:
    """Say that the provider did not link the account.

    Args:
        redirect: What the provider sent, with an error.

    Returns:
        The page.
    """
    words = ": ".join(redirect[part] for part in ("error", "error_description") if part in redirect)
    message = "The provider did not allow the link. It gave this reason:"
    return Page(HTTPStatus.BAD_REQUEST, "The account was not linked", message, quote=words)


async def deliver(app: httpx2.AsyncClient, redirect: dict[str, str]) -> Page:
    """Hand a redirect to the app.

    Args:
        app: Client of the app.
        redirect: What the provider sent.

    Returns:
        What came of it.
    """
    try:
        answer = await app.post(DELIVERY, json=redirect)
    except httpx2.HTTPError as error:
        log.warning("The app cannot be reached", url=str(app.base_url), reason=type(error).__name__)
        message = "Dashtam cannot be reached, so the account was not linked."
        advice = "Make sure that the app is running, then start linking the account again."
        return Page(HTTPStatus.BAD_GATEWAY, "Dashtam is not available", message, advice=advice)
    return outcome_of(answer)


def outcome_of(answer: httpx2.Response) -> Page:
    """Put the app's answer into words.

    Args:
        answer: The app's answer: problem details, where the redirect is at fault.

    Returns:
        The page.
    """
    if answer.is_client_error and answer.headers.get("Content-Type") == "application/problem+json":
        problem = cast("dict[str, str]", answer.json())
        message = "Dashtam did not accept what the provider sent:"
        words = problem.get("detail", problem["title"])
        return Page(HTTPStatus.BAD_REQUEST, "The account was not linked", message, quote=words)
    log.error("The app gave an unexpected answer", status=answer.status_code)
    message = "Dashtam gave an unexpected answer, so the account was not linked."
    return Page(HTTPStatus.BAD_GATEWAY, "Something went wrong", message, advice="Look into the app's log.")


async def on_http(_request: Request, error: Exception) -> Response:
    """Say that there is no such page, or no such method."""
    status = HTTPStatus(cast("HTTPException", error).status_code)
    response = pages.render(Page(status, status.phrase, "There is nothing at this address."))
    response.headers.update(cast("HTTPException", error).headers or {})
    return response


async def on_unexpected(_request: Request, _error: Exception) -> Response:
    """Say that it is our fault. No middleware sees this response, so it gets its headers here."""
    page = Page(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong", "The cause is in the callback's log.")
    response = pages.render(page)
    response.headers.update({**HEADERS, "Content-Security-Policy": pages.POLICY})
    return response
