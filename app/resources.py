"""What lives as long as the service: opened once, used by what is published and by what is not."""

from __future__ import annotations

from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypedDict, cast

from fastapi import Request
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.cache import cache_for
from app.core.database import engine_for
from app.core.migrate import head_revision
from app.core.tls import client_context
from app.linking.service import Linking
from app.linking.wiring import linking_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from app.core.settings import AppSettings


class State(TypedDict):
    """What the routes use."""

    engine: AsyncEngine
    cache: Redis
    head: str | None
    linking: Linking


def state_of(request: Request) -> State:
    """Inject it."""
    return cast("State", request.state)


@asynccontextmanager
async def opened(settings: AppSettings) -> AsyncIterator[State]:
    """Open it, for as long as the context lasts."""
    # A context for each: what an HTTP client sets in its own (ALPN), PostgreSQL refuses.
    engine = engine_for(settings, client_context(settings.tls_ca_file))
    environment = client_context(settings.tls_ca_file)
    try:
        async with cache_for(settings) as cache, linking_for(settings, engine, cache, environment) as linking:
            yield {"engine": engine, "cache": cache, "head": head_revision(), "linking": linking}
    finally:
        await engine.dispose()


def lifespan(settings: AppSettings, state: State | None) -> Callable[[Any], AbstractAsyncContextManager[State]]:
    """Make the lifespan of an app."""
    return lambda _app: opened(settings) if state is None else nullcontext(state)
