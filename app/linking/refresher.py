"""Refreshes connections before their access tokens end, while the app runs; one process at a time does each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.linking.errors import LinkingError
from app.linking.tokens import Connections
from app.providers.interface import Provider
from app.vault import UnreadableError

PERIOD = 15.0
"""Seconds between two looks; well within the time before the end at which a token is due."""

BATCH = 20

log = structlog.get_logger(__name__)


@asynccontextmanager
async def refreshing(
    connections: Connections, providers: Mapping[str, Provider], *, period: float = PERIOD
) -> AsyncIterator[None]:
    """Refresh what is due for as long as the context lasts.

    Args:
        connections: The connections.
        providers: The providers by name.
        period: Seconds between two looks.
    """
    task = asyncio.create_task(_run(connections, providers, period))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def refresh_due(connections: Connections, providers: Mapping[str, Provider]) -> int:
    """Refresh what is due now.

    Args:
        connections: The connections.
        providers: The providers by name.

    Returns:
        How many were refreshed.
    """
    refreshed = 0
    for owner, key, name in await connections.due(BATCH):
        if (provider := providers.get(name)) is None:
            continue
        try:
            await connections.refresh(owner, key, provider)
        except (LinkingError, UnreadableError) as error:
            log.warning("A connection was not refreshed", connection=str(key), provider=name, reason=str(error))
        else:
            refreshed += 1
    return refreshed


async def _run(connections: Connections, providers: Mapping[str, Provider], period: float) -> None:
    while True:
        try:
            await refresh_due(connections, providers)
        except (SQLAlchemyError, OSError) as error:
            # It comes back by itself, and /ready says so meanwhile.
            log.warning("What is due could not be looked up", reason=type(error).__name__)
        await asyncio.sleep(period)
