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
    """Return a connection."""
    return some(await session.scalar(_one(owner, connection)))


async def locked(session: AsyncSession, owner: uuid.UUID, connection: uuid.UUID) -> ProviderConnection:
    """Return a connection that nobody else changes until the transaction ends; see `found`."""
    return some(await session.scalar(_one(owner, connection).with_for_update()))


def some(row: ProviderConnection | None) -> ProviderConnection:
    """Return what was found."""
    if row is None:
        raise UnknownConnectionError
    return row


def page(owner: uuid.UUID, limit: int, after: tuple[datetime, uuid.UUID] | None) -> Select[ProviderConnection]:
    """Select a person's connections, youngest first."""
    row = ProviderConnection
    wanted = select(row).where(row.owner == owner).order_by(row.created_at.desc(), row.id.desc()).limit(limit)
    if after is None:
        return wanted
    return wanted.where((row.created_at < after[0]) | ((row.created_at == after[0]) & (row.id < after[1])))


def due(provider: str, limit: int) -> Select[uuid.UUID, uuid.UUID]:
    """Select connections that are to be refreshed now, or that have ended without a way to refresh them."""
    row, now = ProviderConnection, datetime.now(UTC)
    ends = (row.expires_at < now) | (row.refresh_token.is_not(None) & (row.expires_at < now + BEFORE_EXPIRY))
    may = row.retry_at.is_(None) | (row.retry_at <= now)
    wanted = select(row.owner, row.id).where(row.provider == provider, row.status == ConnectionStatus.ACTIVE)
    return wanted.where(ends, may).order_by(row.expires_at).limit(limit)


def due_since(row: ProviderConnection) -> datetime | None:
    """Return from when on a connection is to be refreshed."""
    return None if row.expires_at is None else row.expires_at - BEFORE_EXPIRY


def _one(owner: uuid.UUID, connection: uuid.UUID) -> Select[ProviderConnection]:
    return select(ProviderConnection).where(ProviderConnection.owner == owner, ProviderConnection.id == connection)
