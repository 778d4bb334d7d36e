"""The end of a process behind a load balancer: it is unready first, serves on until that is seen, and then ends."""

from __future__ import annotations

import time
from http import HTTPStatus

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http.middleware import HEADERS, adding

READY = "/ready"
DRAINING = {"status": "unready", "checks": {"process": {"status": "failed", "reason": "draining"}}}
"""In the shape of `app.http.readiness.Readiness`, whose module imports the database, the cache and FastAPI."""


class Drain:
    """The time for which a process serves on after it is told to stop; it has begun or not."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end: float | None = None

    @property
    def begun(self) -> bool:
        """Whether the process is told to stop."""
        return self._end is not None

    @property
    def over(self) -> bool:
        """Whether the process is to end now."""
        return self._end is not None and time.monotonic() >= self._end

    def begin(self) -> None:
        """Be unready from now on."""
        self._end = time.monotonic() + self._seconds

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return an app that answers like another; once the drain has begun it isn't ready, and keeps no connection."""
        unready = JSONResponse(DRAINING, HTTPStatus.SERVICE_UNAVAILABLE, HEADERS)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if not (self.begun and scope["type"] == "http"):
                await app(scope, receive, send)
                return
            answering = unready if scope["path"] == READY else app
            # A balancer that passes TLS through moves no connection: each client makes its next one elsewhere.
            await answering(scope, receive, adding(send, lambda headers: headers.update({"Connection": "close"})))

        return answer
