"""The app's pages: what a person sees in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.http import error_pages, sessions
from app.http.bodies import BodyLimit
from app.http.metrics import Metrics
from app.http.middleware import SecurityHeaders
from app.http.origin import PublicOrigin
from app.http.request_ids import RequestIds
from app.linking.pages import router

if TYPE_CHECKING:
    from fastapi import FastAPI

    from app.core.settings import AppSettings


def install(app: FastAPI, settings: AppSettings) -> None:
    """Serve the pages, with what they and the API need: sessions, request ids, metrics, security headers.

    Comes after every other exception handler: what these say is kept for whoever doesn't ask for a page.
    """
    app.state.public_url = settings.public_url
    app.state.environment = settings.environment
    app.include_router(router)
    error_pages.install(app)
    sessions.install(app, settings)
    # From the inside out.
    app.add_middleware(BodyLimit)
    app.add_middleware(PublicOrigin, public_url=settings.public_url)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Metrics)
    app.add_middleware(RequestIds)
