"""Prometheus metrics; served on a port that is never published."""

from __future__ import annotations

import time
from http import HTTPMethod, HTTPStatus

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Counter("dashtam_http_requests", "Requests answered.", ["method", "route", "status"])
LATENCY = Histogram("dashtam_http_request_duration_seconds", "Time to answer a request.", ["method", "route"])
LINKING = Counter("dashtam_linking_outcomes", "What came of each step of linking an account.", ["outcome"])

_METHODS = frozenset(HTTPMethod)


class Metrics:
    """ASGI middleware that counts and times requests."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer through the app."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = HTTPStatus.INTERNAL_SERVER_ERROR.value  # of the answer to an unhandled error
        start = time.perf_counter()

        async def send_and_note_status(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self.app(scope, receive, send_and_note_status)
        finally:
            _record(scope, status, time.perf_counter() - start)


def count_linking(outcome: str) -> None:
    """Count an outcome: `started`, `linked`, `refreshed`, `disconnected`, or the kind of a refusal."""
    LINKING.labels(outcome).inc()


async def show() -> Response:
    """Answer Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _record(scope: Scope, status: int, seconds: float) -> None:
    # The template, never the path: ids and made-up addresses would make a series each.
    route = getattr(scope.get("route"), "path", "unmatched")
    method = scope["method"] if scope["method"] in _METHODS else "other"
    REQUESTS.labels(method, route, status).inc()
    LATENCY.labels(method, route).observe(seconds)
