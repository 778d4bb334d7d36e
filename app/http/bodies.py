"""Limits how large a request's body may be, told or not: whatever reads a body reads it into memory."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIMIT = 64 * 1024
"""Bytes; the largest redirect that the callback accepts is about half of it, in UTF-8."""


class BodyLimit:
    """ASGI middleware that refuses to read a larger body.

    Starlette's own answers in plain text; here the reader fails, so that the refusal is a problem, or a page.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer through the app."""
        read, told = 0, _told(scope)

        async def receive_within_limit() -> Message:
            nonlocal read
            message = await receive() if told <= LIMIT else None
            read += len(message.get("body", b"")) if message else 0
            if message is None or read > LIMIT:
                detail = f"The request's body is larger than {LIMIT} bytes."
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
            return message

        await self.app(scope, receive_within_limit if scope["type"] == "http" else receive, send)


def _told(scope: Scope) -> int:
    length = Headers(scope=scope).get("Content-Length", "") if scope["type"] == "http" else ""
    return int(length) if length.isascii() and length.isdigit() else 0
