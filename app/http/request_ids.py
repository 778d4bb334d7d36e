"""A request id in every log line and answer, the same in callback and app for one redirect."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, cast

import structlog
from starlette.datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9_-]{8,64}")  # nothing that could forge a log line


class RequestIds:
    """ASGI middleware that takes the request's id over, or makes one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer through the app."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # Never unbound: each request is a task with a context of its own, and the server logs after this returned.
        structlog.contextvars.bind_contextvars(request_id=_id_of(Headers(scope=scope).get(HEADER)))

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers())
            await send(message)

        await self.app(scope, receive, send_with_id)


def current() -> str:
    """Return the id of the request that is being answered; empty outside of one."""
    return cast("str", structlog.contextvars.get_contextvars().get("request_id", ""))


def headers() -> dict[str, str]:
    """Return the header that carries the current id: for answers, and for requests made on its behalf."""
    return {HEADER: current()} if current() else {}


def _id_of(given: str | None) -> str:
    return given if given and _ACCEPTED.fullmatch(given) else uuid.uuid4().hex
