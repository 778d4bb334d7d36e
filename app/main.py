"""The app."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, Response
from pydantic import BaseModel

from app import web
from app.http import docs, openapi, problems
from app.http.readiness import Readiness, assess, parts_of
from app.linking import endpoints as linking_api
from app.linking import session as session_api
from app.resources import State, lifespan, state_of

if TYPE_CHECKING:
    from app.core.settings import AppSettings


class Health(BaseModel):
    """The process is alive."""

    status: str = "ok"


def create_app(settings: AppSettings, state: State | None = None) -> FastAPI:
    """Make the app."""
    app = FastAPI(title="Dashtam", version="0.1.0", lifespan=lifespan(settings, state), docs_url=None, redoc_url=None)
    problems.install(app)
    docs.install(app)
    session_api.install(app)
    linking_api.install(app)
    app.add_api_route("/health", health, tags=["health"])
    unready: dict[int | str, dict[str, Any]] = {HTTPStatus.SERVICE_UNAVAILABLE.value: {"model": Readiness}}
    app.add_api_route("/ready", ready, tags=["health"], responses=unready, response_model_exclude_none=True)
    openapi.install(app, settings)
    web.install(app, settings)
    return app


async def health() -> Health:
    """Say that the process is alive."""
    return Health()


async def ready(response: Response, state: Annotated[State, Depends(state_of)]) -> Readiness:
    """Say whether the database, the cache and the migrations are as they should be."""
    readiness = await assess(parts_of(state["engine"], state["cache"], state["head"]))
    if readiness.status != "ready":
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return readiness
