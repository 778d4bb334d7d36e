"""What only the environment's own network reaches: metrics, and where the callback server hands redirects on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel

from app.http import error_pages, metrics, problems
from app.http.bodies import BodyLimit
from app.http.metrics import Metrics
from app.http.middleware import SecurityHeaders
from app.http.ratelimit import count_failure
from app.http.request_ids import RequestIds
from app.linking.endpoints import LinkingDep
from app.linking.errors import UnknownStateError
from app.linking.redirect import Redirect
from app.resources import lifespan

if TYPE_CHECKING:
    from app.core.settings import AppSettings
    from app.resources import State

UNKNOWN_PER_MINUTE = 600
"""How many unknown states are told as such; whoever brings one that was given out is never turned away."""

router = APIRouter(prefix="/internal/oauth")


class Received(BaseModel):
    """A provider's answer that was accepted."""

    continue_url: str


@router.post("/callback")
async def receive(redirect: Redirect, linking: LinkingDep, request: Request) -> Received:
    """Take a provider's answer from the callback server."""
    try:
        return Received(continue_url=await linking.receive(redirect))
    except UnknownStateError:
        # All come from the callback's address: counting the known ones too would let anybody keep everybody out.
        await count_failure(request, "unknown-state", per_minute=UNKNOWN_PER_MINUTE)
        raise


def create_internal(settings: AppSettings, state: State | None = None) -> FastAPI:
    """Make what answers on the port that is never published."""
    app = FastAPI(lifespan=lifespan(settings, state), openapi_url=None)
    problems.install(app)
    error_pages.install(app)
    app.add_api_route("/metrics", metrics.show)
    app.include_router(router)
    # From the inside out.
    for middleware in (BodyLimit, SecurityHeaders, Metrics, RequestIds):
        app.add_middleware(middleware)
    return app
