"""Refreshes connections before their access tokens end, while the app runs; one process at a time does each.

Each provider has a task of its own, so that one that fails or hangs delays no other's connections.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.core.dependency_errors import explain
from app.linking.connections import Connections
from app.linking.errors import LinkingError
from app.providers.client import Provider

PERIOD = 15.0
"""Seconds between two looks; well within the time before the end at which a token is due."""

BATCH = 20
AT_ONCE = 4
"""Connections of a provider looked up together, and refreshed at the same time."""

log = structlog.get_logger(__name__)


@asynccontextmanager
async def refreshing(connections: Connections, providers: Mapping[str, Provider]) -> AsyncIterator[None]:
    """Refresh what is due for as long as the context lasts; it ends once no refresh is in flight."""
    tasks = [asyncio.create_task(_run(connections, provider)) for provider in providers.values()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await connections.settle()


async def refresh_due(connections: Connections, provider: Provider) -> int:
    """Refresh what is due now; return how many were refreshed."""
    slots, throttled = asyncio.Semaphore(AT_ONCE), asyncio.Event()
    due = await connections.repository.due(provider.name, BATCH)
    return sum(await asyncio.gather(*(_refresh(connections, provider, one, slots, throttled) for one in due)))


async def _refresh(
    connections: Connections,
    provider: Provider,
    which: tuple[uuid.UUID, uuid.UUID],
    slots: asyncio.Semaphore,
    throttled: asyncio.Event,
) -> bool:
    about = {"connection": str(which[1]), "provider": provider.name}
    async with slots:
        if throttled.is_set():
            return False
        try:
            await connections.refresh(*which, provider, only_due=True)
        except LinkingError as error:
            log.warning("A connection was not refreshed", reason=str(error), **about)
            if error.retry_after is not None:
                throttled.set()
        except Exception as error:
            _report("A connection was not refreshed", error, **about)
        else:
            return True
    return False


async def _run(connections: Connections, provider: Provider) -> None:
    while True:
        refreshed = 0
        try:
            refreshed = await refresh_due(connections, provider)
        except Exception as error:
            _report("What is due could not be looked up", error, provider=provider.name)
        if refreshed < BATCH:  # otherwise more may wait
            await asyncio.sleep(PERIOD)


def _report(event: str, error: Exception, **about: str) -> None:
    failure = explain(error)
    if isinstance(error, SQLAlchemyError | OSError) and failure.expected:
        # It recovers by itself, and /ready reports it meanwhile.
        log.warning(event, reason=failure.reason, **about)
        return
    # Where it happened, but not its text, which might hold a token.
    log.exception(event, exc_info=RuntimeError(type(error).__name__).with_traceback(error.__traceback__), **about)
