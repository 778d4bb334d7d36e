"""The service's two ASGI apps: what is published, and what only the environment's own network reaches.

Both share the database, the cache and the service that links accounts, which `opened` gives.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypedDict

from fastapi import FastAPI
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from starlette.middleware import Middleware

from app.core.cache import create_cache
from app.core.database import create_engine
from app.core.in_flight import InFlight
from app.core.revision import head_revision
from app.core.settings import AppSettings
from app.http import metrics, openapi, problems, readiness
from app.http.metrics import Metrics
from app.http.middleware import BodyLimit, PublicOrigin, RequestIds, SecurityHeaders
from app.http.sessions import session_middleware
from app.linking import endpoints, pages, refusals
from app.linking.connections import Connections
from app.linking.errors import LinkingError
from app.linking.refresher import refreshing
from app.linking.repository import Repository
from app.linking.service import Linking
from app.providers.client import make_providers
from app.tokens.keys import DataKeys
from app.tokens.vault import MasterKeys


class State(TypedDict):
    """What the routes use; `head` is the revision of the database that the code needs."""

    in_flight: InFlight
    engine: AsyncEngine
    cache: Redis
    head: str
    linking: Linking


Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[State]]


@asynccontextmanager
async def opened(settings: AppSettings) -> AsyncIterator[State]:
    """Open the state, and refresh connections, for as long as the context lasts."""
    engine = create_engine(settings)
    try:
        providers = make_providers(settings)
        keys = DataKeys(MasterKeys.parse(settings.token_keys.get_secret_value()))
        connections = Connections(Repository(async_sessionmaker(engine, expire_on_commit=False), keys))
        async with create_cache(settings) as cache, refreshing(connections, providers):
            linking = Linking(providers, connections, cache, settings.public_url)
            yield {
                "in_flight": InFlight(),
                "engine": engine,
                "cache": cache,
                "head": head_revision(),
                "linking": linking,
            }
    finally:
        await engine.dispose()


def create_app(settings: AppSettings, lifespan: Lifespan) -> FastAPI:
    """Make the app that is published: pages, API and its documentation, health."""
    app = FastAPI(
        title="Dashtam",
        version="0.1.0",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        middleware=[  # from the outside in
            Middleware(RequestIds),
            Middleware(Metrics),
            Middleware(SecurityHeaders),
            Middleware(PublicOrigin, public_url=settings.public_url),
            Middleware(BodyLimit),
            session_middleware(settings),
        ],
    )
    app.state.settings = settings
    problems.install(app, {LinkingError: refusals.describe})
    openapi.install(app, settings)
    for router in (endpoints.session_router, endpoints.router, readiness.router, pages.router):
        app.include_router(router)
    return app


def create_internal(lifespan: Lifespan) -> FastAPI:
    """Make the app for the port that is never published: metrics, and redirects from the callback server."""
    app = FastAPI(
        lifespan=lifespan,
        openapi_url=None,
        middleware=[  # from the outside in
            Middleware(RequestIds),
            Middleware(Metrics),
            Middleware(SecurityHeaders),
            Middleware(BodyLimit),
        ],
    )
    problems.install(app, {LinkingError: refusals.describe})
    app.add_api_route("/metrics", metrics.show)
    app.include_router(endpoints.internal)
    return app
