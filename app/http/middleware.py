"""ASGI middleware of the servers: request ids, security headers, one public origin, and a limit for bodies."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import cast

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_ID = "X-Request-ID"
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")  # nothing that could forge a log line

# No Strict-Transport-Security: browsers would apply it to every other port of localhost, where other work of the
# developer is served over HTTP.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

BODY_LIMIT = 64 * 1024
"""Bytes; the largest redirect that the callback accepts is about half of it, in UTF-8."""

_PAGES = re.compile(r"/|/finish|/connections/[^/]+/disconnect")


class RequestIds:
    """Puts a request id into every log line and response: the request's own, or a new one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer through the app."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        # Never unbound: each request is a task with a context of its own, and the server logs after this returned.
        structlog.contextvars.bind_contextvars(
            request_id=given if _ACCEPTED_ID.fullmatch(given) else uuid.uuid4().hex,
        )
        await self.app(scope, receive, adding(send, lambda headers: headers.update(request_id_header())))


def request_id() -> str:
    """Return the id of the current request; empty outside of one."""
    return cast("str", structlog.contextvars.get_contextvars().get("request_id", ""))


def request_id_header() -> dict[str, str]:
    """Return the header with the current id: for responses, and for requests made on its behalf."""
    return {REQUEST_ID: request_id()} if request_id() else {}


class SecurityHeaders:
    """Adds each security header that the response does not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer through the app."""

        def add(headers: MutableHeaders) -> None:
            for name, value in HEADERS.items():
                headers.setdefault(name, value)

        await self.app(scope, receive, adding(send, add))


class PublicOrigin:
    """Redirects a page that is requested under another name of this server to the public one, as the cookie is there.

    `public_url` is the app as browsers see it.
    """

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self.app = app
        self.public_url = public_url
        self.host = public_url.partition("://")[2].lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer through the app, or redirect."""
        answer = self.app
        if scope["type"] == "http" and scope["method"] == "GET" and _PAGES.fullmatch(scope["path"]):
            request = Request(scope)
            if request.headers.get("Host", "").lower() != self.host:
                query = f"?{request.url.query}" if request.url.query else ""
                location = f"{self.public_url}{request.url.path}{query}"
                answer = RedirectResponse(location, HTTPStatus.TEMPORARY_REDIRECT)
        await answer(scope, receive, send)


class BodyLimit:
    """Refuses to read a body above the limit, whether its length is declared or not.

    Starlette's own limit answers in plain text; here the reader fails, so that the refusal is a problem, or a page.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer through the app."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared, read = _declared_length(scope), 0

        async def receive_within_limit() -> Message:
            nonlocal read
            message = await receive() if declared <= BODY_LIMIT else None
            read += len(message.get("body", b"")) if message else 0
            if message is None or read > BODY_LIMIT:
                detail = f"The request's body is larger than {BODY_LIMIT} bytes."
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
            return message

        await self.app(scope, receive_within_limit, send)


def _declared_length(scope: Scope) -> int:
    length = Headers(scope=scope).get("Content-Length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


def adding(send: Send, add: Callable[[MutableHeaders], None]) -> Send:
    """Return what sends a response with the headers that `add` adds."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            add(MutableHeaders(scope=message))
        await send(message)

    return send_with_headers
