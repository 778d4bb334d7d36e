"""Connections in the database: each step a transaction of its own, none of which waits for a provider."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.core.models import ConnectionStatus, ProviderConnection
from app.linking import rows
from app.providers.interface import Grant
from app.tokens.keys import DataKeys, open_tokens, seal_tokens


class Stored:
    """The connections in the database."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], keys: DataKeys) -> None:
        self.sessions, self._keys = sessions, keys

    async def link(self, owner: uuid.UUID, provider: str, grant: Grant) -> ProviderConnection:
        """Keep what a provider granted; an account that is linked again keeps its row.

        A new grant replaces the one before whole. Where it comes without a refresh token, the former one is forgotten
        too: it may allow something else than what the person agreed to now, or the provider may have ended it.
        """
        async with self.sessions.begin() as session:
            key = await self._keys.current(session)
            row = await self._row_for(session, owner, provider, grant, key)
            await self._keep(session, row, key, grant, grant.refresh_token)
        return row

    async def open(self, row: ProviderConnection) -> tuple[str, str | None]:
        """Read a connection's tokens."""
        async with self.sessions.begin() as session:
            # Read anew and locked: a rotation may have given it another key since, and forgotten the one before.
            return await open_tokens(self._keys, session, await rows.locked(session, row.owner, row.id))

    async def renew(self, row: ProviderConnection, grant: Grant, refresh: str) -> ProviderConnection:
        """Keep what a refresh gave."""
        async with self.sessions.begin() as session:
            key = await self._keys.current(session)
            now = await rows.locked(session, row.owner, row.id)
            if now.refreshed_at == row.refreshed_at:
                await self._keep(session, now, key, grant, grant.refresh_token or refresh)
        return now

    async def end(self, row: ProviderConnection, status: ConnectionStatus) -> None:
        """Mark a connection as one that gives no access any more, unless it was linked again meanwhile."""
        ended = update(ProviderConnection).where(_unchanged(row))
        async with self.sessions.begin() as session:
            await session.execute(ended.values(status=status, updated_at=datetime.now(UTC)))

    async def forget(self, row: ProviderConnection) -> None:
        """Delete a connection, unless it was linked again meanwhile."""
        async with self.sessions.begin() as session:
            await session.execute(delete(ProviderConnection).where(_unchanged(row)))

    async def get(self, owner: uuid.UUID, connection: uuid.UUID) -> ProviderConnection:
        """Return a connection."""
        async with self.sessions() as session:
            return await rows.found(session, owner, connection)

    async def page(
        self, owner: uuid.UUID, limit: int, after: tuple[datetime, uuid.UUID] | None
    ) -> list[ProviderConnection]:
        """Return a person's connections, youngest first; see `rows.page`."""
        async with self.sessions() as session:
            return list((await session.scalars(rows.page(owner, limit, after))).all())

    async def due(self, provider: str, limit: int) -> list[tuple[uuid.UUID, uuid.UUID]]:
        """Return owner and id of connections that are to be refreshed now; see `rows.due`."""
        async with self.sessions() as session:
            return [(owner, key) for owner, key in (await session.execute(rows.due(provider, limit))).all()]

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
        return rows.some(await session.scalar(mine.with_for_update()))

    async def _keep(
        self, session: AsyncSession, row: ProviderConnection, key: str, grant: Grant, refresh: str | None
    ) -> None:
        await seal_tokens(self._keys, session, row, (grant.access_token, refresh), key)
        row.status, row.expires_at, row.retry_at = ConnectionStatus.ACTIVE, grant.expires_at, None
        row.refreshed_at = row.updated_at = datetime.now(UTC)
        if grant.scopes is not None:  # None: the same as before
            row.scopes = list(grant.scopes)


def _unchanged(row: ProviderConnection) -> ColumnElement[bool]:
    return (ProviderConnection.id == row.id) & (ProviderConnection.refreshed_at == row.refreshed_at)
