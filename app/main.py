"""The app."""

from __future__ import annotations

from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, TypedDict, cast

from fastapi import Depends, FastAPI, Request, Response
from pydantic import BaseModel
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from app import docs, problems, web
from app.api import linking as linking_api
from app.api import session as session_api
from app.cache import cache_for
from app.database import engine_for
from app.linking.service import Linking
from app.linking.wiring import linking_for
from app.migrate import head_revision
from app.readiness import Readiness, assess, parts_of
from app.tls import client_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.settings import AppSettings


class State(TypedDict):
    """What lives as long as the app.

    Attributes:
        engine: The database.
        cache: The cache.
        head: The revision of the database that the code needs.
        linking: What links accounts.
    """

    engine: AsyncEngine
    cache: Redis
    head: str | None
    linking: Linking


class Health(BaseModel):
    """The process is alive."""

    status: str = "ok"


def state_of(request: Request) -> State:
    """Inject the app's state.

    Args:
        request: The request.

    Returns:
        The state.
    """
    return cast("State", request.state)


def create_app(settings: AppSettings) -> FastAPI:
    """Make the app.

    Args:
        settings: Where its database and cache are.

    Returns:
        The app; it connects when its lifespan starts.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[State]:
        # A context for each: what an HTTP client sets in its own (ALPN), PostgreSQL refuses.
        engine = engine_for(settings, client_context(settings.tls_ca_file))
        environment = client_context(settings.tls_ca_file)
        try:
            async with cache_for(settings) as cache, linking_for(settings, engine, cache, environment) as linking:
                yield {"engine": engine, "cache": cache, "head": head_revision(), "linking": linking}
        finally:
            await engine.dispose()

    app = FastAPI(title="Dashtam", version="0.1.0", lifespan=lifespan, docs_url=None, redoc_url=None)
    problems.install(app)
    docs.install(app)
    session_api.install(app)
    linking_api.install(app)
    app.add_api_route("/health", health, tags=["health"])
    unready: dict[int | str, dict[str, Any]] = {HTTPStatus.SERVICE_UNAVAILABLE.value: {"model": Readiness}}
    app.add_api_route("/ready", ready, tags=["health"], responses=unready, response_model_exclude_none=True)
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
