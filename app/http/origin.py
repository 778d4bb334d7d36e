"""Keeps the pages at one origin: the session's cookie belongs to it."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

PAGES = re.compile(r"/|/finish|/connections/[^/]+/disconnect")


class PublicOrigin:
    """ASGI middleware that sends whoever asks for a page at another name of this server to the public one."""

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self.app = app
        self.public_url = public_url
        self.host = public_url.partition("://")[2].lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer through the app, or redirect."""
        answer = self.app
        if scope["type"] == "http" and scope["method"] == "GET" and PAGES.fullmatch(scope["path"]):
            request = Request(scope)
            if request.headers.get("Host", "").lower() != self.host:
                answer = RedirectResponse(self._here(request), HTTPStatus.TEMPORARY_REDIRECT)
        await answer(scope, receive, send)

    def _here(self, request: Request) -> str:
        query = f"?{request.url.query}" if request.url.query else ""
        return f"{self.public_url}{request.url.path}{query}"
