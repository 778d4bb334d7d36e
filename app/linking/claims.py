"""Gives a connection to one process while it calls the provider, without holding a connection to the database.

A lock in the database would hold one for as long as the provider takes: a few requests to one that hangs would use up
the pool. So a claim is a time in the row, and ends by itself if its process was killed.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.core.dependency_errors import KINDS, explain, is_outage
from app.core.models import ConnectionStatus, ProviderConnection
from app.linking.repository import due_since, locked

LEASE = timedelta(seconds=30)
"""After which a claim ends by itself: longer than the calls to a provider may take."""

POLL = 0.1
"""Seconds between two looks at a row that another process has claimed."""

MIN_BACKOFF, MAX_BACKOFF = timedelta(seconds=15), timedelta(minutes=15)
"""Between two attempts of a refresh that fails."""

STORE_RETRY_SECONDS = 0.5
"""Between two attempts to store tokens."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Claimed:
    """A connection that nobody else refreshes or disconnects meanwhile, as it was when it was claimed."""

    row: ProviderConnection
    renewed: bool
    """Whether another process got new tokens for it during the wait."""


@asynccontextmanager
async def claim(
    sessions: async_sessionmaker[AsyncSession], owner: uuid.UUID, connection: uuid.UUID
) -> AsyncIterator[Claimed]:
    """Claim a connection, once a present claim has ended."""
    claimed = await _wait(sessions, owner, connection)
    try:
        yield claimed
    finally:
        await _release(sessions, claimed.row)


async def retry_during_outage(write: Callable[[], Awaitable[T]], until: datetime | None) -> T:
    """Repeat a write until an outage is over, at most as long as a claim lasts: what it stores exists nowhere else."""
    until = until or datetime.now(UTC) + LEASE
    while True:
        try:
            return await write()
        except KINDS as error:
            if not is_outage(error) or datetime.now(UTC) >= until:
                raise
            log.warning("Storing the tokens failed; retrying", reason=explain(error).reason)
        await asyncio.sleep(STORE_RETRY_SECONDS)


def back_off(overdue: timedelta) -> timedelta:
    """Return the delay before the next attempt: as long as it has been due, within limits.

    So each delay is about twice the one before, and nothing needs to be counted.
    """
    return min(max(overdue, MIN_BACKOFF), MAX_BACKOFF)


async def _wait(sessions: async_sessionmaker[AsyncSession], owner: uuid.UUID, connection: uuid.UUID) -> Claimed:
    first: datetime | None = None
    while True:
        async with sessions.begin() as session:
            row = await locked(session, owner, connection)
            first = first or row.refreshed_at
            if _take(row, datetime.now(UTC)):
                return Claimed(row, row.status is ConnectionStatus.ACTIVE and row.refreshed_at != first)
        await asyncio.sleep(POLL)


def _take(row: ProviderConnection, now: datetime) -> bool:
    if row.claimed_until is not None and row.claimed_until > now:
        return False
    # Success clears retry_at; so nothing needs to be written after a failure, whatever it is.
    row.claimed_until, row.retry_at = now + LEASE, now + back_off(now - (due_since(row) or now))
    return True


async def _release(sessions: async_sessionmaker[AsyncSession], row: ProviderConnection) -> None:
    mine = (ProviderConnection.id == row.id) & (ProviderConnection.claimed_until == row.claimed_until)
    try:
        async with sessions.begin() as session:
            await session.execute(update(ProviderConnection).where(mine).values(claimed_until=None))
    except (SQLAlchemyError, OSError) as error:
        log.warning(
            f"The claim was not released; it expires in {LEASE.seconds} s",
            connection=str(row.id),
            reason=type(error).__name__,
        )
