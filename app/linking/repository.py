"""Connections in the database: each step a transaction of its own, none of which waits for a provider."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import defer

from app.core.database import read
from app.core.models import ConnectionStatus, ProviderConnection
from app.linking.errors import UnknownConnectionError
from app.providers.grants import Grant
from app.tokens.keys import DataKeys, open_tokens, seal_tokens
from app.tokens.vault import UnreadableError

BEFORE_EXPIRY = timedelta(seconds=60)
"""How long before its end an access token is refreshed."""

_WITHOUT_TOKENS = (
    defer(ProviderConnection.access_token, raiseload=True),
    defer(ProviderConnection.refresh_token, raiseload=True),
)


class Repository:
    """The connections in the database; `keys` seal their tokens."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], keys: DataKeys) -> None:
        self.sessions, self._keys = sessions, keys

    async def link(self, owner: uuid.UUID, provider: str, grant: Grant) -> tuple[ProviderConnection, Grant | None]:
        """Store what a provider granted, and return what it replaces; an account that is linked again keeps its row.

        A new grant replaces the one before whole. Where it comes without a refresh token, the former one is forgotten
        too: it may allow more than the person agreed to now, or the provider may have ended it.
        """
        async with self.sessions.begin() as session:
            key = await self._keys.current(session)
            row = await self._row_for(session, owner, provider, grant, key)
            replaced = await self._replaced(session, row, grant)
            await self._store(session, row, key, grant)
            row.link_ends_at = grant.link_ends_at
        return row, replaced

    async def open(self, row: ProviderConnection) -> tuple[ProviderConnection, str, str | None]:
        """Return a connection as it is now, its access token, and its refresh token if there is one."""
        async with self.sessions.begin() as session:
            # Read again and locked: it may have been linked again since, and a rotation may have given it another key
            # and deleted the one before.
            now = await locked(session, row.owner, row.id)
            return now, *(await open_tokens(self._keys, session, now))

    async def renew(self, row: ProviderConnection, grant: Grant) -> tuple[ProviderConnection, Grant | None]:
        """Store a refresh's grant; if the connection was linked again meanwhile, that link counts: return the grant.

        What is stored already, by a write whose answer was lost, is not returned.
        """
        async with self.sessions.begin() as session:
            key = await self._keys.current(session)
            now = await locked(session, row.owner, row.id)
            if now.refreshed_at != row.refreshed_at:
                return now, await self._unused(session, now, grant)
            await self._store(session, now, key, grant)
        return now, None

    async def postpone(self, row: ProviderConnection, seconds: float) -> None:
        """Leave a connection alone for as long as its provider asks for, unless it was linked again meanwhile."""
        later = datetime.now(UTC) + timedelta(seconds=seconds)
        postponed = update(ProviderConnection).where(_unchanged(row))
        async with self.sessions.begin() as session:
            await session.execute(postponed.values(retry_at=func.greatest(ProviderConnection.retry_at, later)))

    async def end(self, row: ProviderConnection, status: ConnectionStatus) -> None:
        """Mark a connection as one that gives no access any more, unless it was linked again meanwhile."""
        ended = update(ProviderConnection).where(_unchanged(row))
        async with self.sessions.begin() as session:
            await session.execute(ended.values(status=status, updated_at=datetime.now(UTC)))

    async def forget(self, row: ProviderConnection) -> bool:
        """Delete a connection, unless it was linked again meanwhile; return whether it is deleted."""
        async with self.sessions.begin() as session:
            await session.execute(delete(ProviderConnection).where(_unchanged(row)))
            return await session.scalar(select(ProviderConnection.id).where(ProviderConnection.id == row.id)) is None

    async def get(self, owner: uuid.UUID, connection: uuid.UUID) -> ProviderConnection:
        """Return a person's connection, without its tokens."""
        found = await read(self.sessions, _one(owner, connection).options(*_WITHOUT_TOKENS))
        return _found(found[0] if found else None)

    async def page(
        self, owner: uuid.UUID, limit: int, after: tuple[datetime, uuid.UUID] | None
    ) -> list[ProviderConnection]:
        """Return a person's connections, youngest first, without tokens; `after` is the last one of the page before."""
        row = ProviderConnection
        wanted = select(row).where(row.owner == owner).order_by(row.created_at.desc(), row.id.desc()).limit(limit)
        if after is not None:
            wanted = wanted.where((row.created_at < after[0]) | ((row.created_at == after[0]) & (row.id < after[1])))
        return list(await read(self.sessions, wanted.options(*_WITHOUT_TOKENS)))

    async def due(self, provider: str, limit: int) -> list[tuple[uuid.UUID, uuid.UUID]]:
        """Return owner and id of connections to refresh now, or that ended without a refresh token; most urgent first.

        A connection of which a refresh failed is left out until its `retry_at`.
        """
        row, now = ProviderConnection, datetime.now(UTC)
        ends = (row.expires_at < now) | (row.refresh_token.is_not(None) & (row.expires_at < now + BEFORE_EXPIRY))
        may = row.retry_at.is_(None) | (row.retry_at <= now)
        wanted = select(row.owner, row.id).where(row.provider == provider, row.status == ConnectionStatus.ACTIVE)
        async with self.sessions() as session:
            found = await session.execute(wanted.where(ends, may).order_by(row.expires_at).limit(limit))
            return [(owner, key) for owner, key in found.all()]

    async def _row_for(
        self, session: AsyncSession, owner: uuid.UUID, provider: str, grant: Grant, key: str
    ) -> ProviderConnection:
        values = {
            "id": uuid.uuid4(),
            "owner": owner,
            "provider": provider,
            "subject": grant.subject,
            "status": ConnectionStatus.ACTIVE,
            "scopes": [],
            "key_id": key,
            "access_token": b"",
        }
        made = insert(ProviderConnection).values(values)
        await session.execute(made.on_conflict_do_nothing(index_elements=["owner", "provider", "subject"]))
        row = ProviderConnection
        mine = select(row).where(row.owner == owner, row.provider == provider, row.subject == grant.subject)
        return _found(await session.scalar(mine.with_for_update()))

    async def _unused(self, session: AsyncSession, row: ProviderConnection, grant: Grant) -> Grant | None:
        """Return the tokens of a grant that a row doesn't have."""
        try:
            stored = await open_tokens(self._keys, session, row)
        except UnreadableError:
            return None
        return _exclude_tokens(grant, stored)

    async def _replaced(self, session: AsyncSession, row: ProviderConnection, grant: Grant) -> Grant | None:
        """Return the tokens of a row that a new grant's issuer gave before, and that the grant doesn't have again."""
        if not row.access_token or row.status is ConnectionStatus.REVOKED or row.issuer not in (None, grant.issuer):
            return None
        try:
            access, refresh = await open_tokens(self._keys, session, row)
        except UnreadableError:
            return None
        return _exclude_tokens(Grant(access, refresh, None, None, None), (grant.access_token, grant.refresh_token))

    async def _store(self, session: AsyncSession, row: ProviderConnection, key: str, grant: Grant) -> None:
        await seal_tokens(self._keys, session, row, (grant.access_token, grant.refresh_token), key)
        row.status, row.expires_at, row.retry_at = ConnectionStatus.ACTIVE, grant.expires_at, None
        row.refreshed_at = row.updated_at = datetime.now(UTC)
        row.issuer = grant.issuer or row.issuer
        if grant.scopes is not None:  # None: the same as before
            row.scopes = list(grant.scopes)


def _exclude_tokens(grant: Grant, tokens: Collection[str | None]) -> Grant:
    """Return a grant without some tokens."""
    access, refresh = grant.access_token, grant.refresh_token
    return replace(
        grant,
        access_token="" if access in tokens else access,
        refresh_token=None if refresh in tokens else refresh,
    )


async def locked(session: AsyncSession, owner: uuid.UUID, connection: uuid.UUID) -> ProviderConnection:
    """Return a connection that nobody else changes until the transaction ends."""
    return _found(await session.scalar(_one(owner, connection).with_for_update()))


def due_since(row: ProviderConnection) -> datetime | None:
    """Return from when on a connection is to be refreshed; None if its access token never ends."""
    return None if row.expires_at is None else row.expires_at - BEFORE_EXPIRY


def _one(owner: uuid.UUID, connection: uuid.UUID) -> Select[ProviderConnection]:
    return select(ProviderConnection).where(ProviderConnection.owner == owner, ProviderConnection.id == connection)


def _found(row: ProviderConnection | None) -> ProviderConnection:
    if row is None:
        raise UnknownConnectionError
    return row


def _unchanged(row: ProviderConnection) -> ColumnElement[bool]:
    return (ProviderConnection.id == row.id) & (ProviderConnection.refreshed_at == row.refreshed_at)
