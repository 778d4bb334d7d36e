"""Finds connections in the database."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.models import ConnectionStatus, ProviderConnection
from app.linking.errors import UnknownConnectionError

BEFORE_EXPIRY = timedelta(seconds=60)
"""How long before its end an access token is refreshed."""


async def found(session: AsyncSession, owner: uuid.UUID, connection: uuid.UUID) -> ProviderConnection:
    """Return a connection.

    Args:
        session: To the database.
        owner: Whose it is.
        connection: Its id.

    Returns:
        The connection.

    Raises:
        UnknownConnectionError: There is none.
    """
    return some(await session.scalar(_one(owner, connection)))


async def locked(session: AsyncSession, owner: uuid.UUID, connection: uuid.UUID) -> ProviderConnection:
    """Return a connection that nobody else changes until the transaction ends; see `found`."""
    return some(await session.scalar(_one(owner, connection).with_for_update()))


def some(row: ProviderConnection | None) -> ProviderConnection:
    """Return what was found.

    Args:
        row: What was found.

    Returns:
        The same.

    Raises:
        UnknownConnectionError: Nothing was.
    """
    if row is None:
        raise UnknownConnectionError
    return row


def page(owner: uuid.UUID, limit: int, after: tuple[datetime, uuid.UUID] | None) -> Select[ProviderConnection]:
    """Select a person's connections, youngest first.

    Args:
        owner: Whose.
        limit: At most how many.
        after: Creation and id of the last one of the page before.

    Returns:
        The query.
    """
    row = ProviderConnection
    wanted = select(row).where(row.owner == owner).order_by(row.created_at.desc(), row.id.desc()).limit(limit)
    if after is None:
        return wanted
    return wanted.where((row.created_at < after[0]) | ((row.created_at == after[0]) & (row.id < after[1])))


def due(provider: str, limit: int) -> Select[uuid.UUID, uuid.UUID]:
    """Select connections that are to be refreshed now, or that have ended without a way to refresh them.

    Args:
        provider: The provider's name.
        limit: At most how many.

    Returns:
        The query; it gives owner and id of each, the most urgent first.
    """
    row, now = ProviderConnection, datetime.now(UTC)
    ends = (row.expires_at < now) | (row.refresh_token.is_not(None) & (row.expires_at < now + BEFORE_EXPIRY))
    may = row.retry_at.is_(None) | (row.retry_at <= now)
    wanted = select(row.owner, row.id).where(row.provider == provider, row.status == ConnectionStatus.ACTIVE)
    return wanted.where(ends, may).order_by(row.expires_at).limit(limit)


def due_since(row: ProviderConnection) -> datetime | None:
    """Return from when on a connection is to be refreshed.

    Args:
        row: The connection.

    Returns:
        The moment; None if its access token never ends.
    """
    return None if row.expires_at is None else row.expires_at - BEFORE_EXPIRY


def _one(owner: uuid.UUID, connection: uuid.UUID) -> Select[ProviderConnection]:
    return select(ProviderConnection).where(ProviderConnection.owner == owner, ProviderConnection.id == connection)
