"""Stored connections and their tokens: link, refresh once, disconnect."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.linking.errors import (
    InvalidTokenError,
    NotRefreshableError,
    ProviderRefusedError,
    ProviderUnavailableError,
    UnknownConnectionError,
)
from app.linking.keys import DataKeys, open_tokens, seal_tokens
from app.models import ConnectionStatus, ProviderConnection
from app.providers.interface import Grant, InvalidIdTokenError, Provider, ProviderError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

BEFORE_EXPIRY = timedelta(seconds=60)
"""How long before its end an access token is refreshed."""

log = structlog.get_logger(__name__)


class Connections:
    """The connections in the database.

    Args:
        sessions: To the database.
        keys: What tokens are sealed under.
    """

    def __init__(self, sessions: async_sessionmaker[AsyncSession], keys: DataKeys) -> None:
        self._sessions, self._keys = sessions, keys

    async def link(self, owner: uuid.UUID, provider: str, grant: Grant) -> ProviderConnection:
        """Keep what a provider granted; an account that is linked again keeps its row.

        Args:
            owner: For whom.
            provider: The provider's name.
            grant: With its subject.

        Returns:
            The connection.
        """
        async with self._sessions.begin() as session:
            row = await self._claim(session, owner, provider, grant)
            row.status = ConnectionStatus.ACTIVE
            await self._keep(session, row, grant, None)
        return row

    async def refresh(self, owner: uuid.UUID, connection: uuid.UUID, provider: Provider) -> ProviderConnection:
        """Renew a connection's tokens at the provider.

        Args:
            owner: Whose it is.
            connection: Its id.
            provider: Its provider.

        Returns:
            The connection.

        Raises:
            LinkingError: There is none, it can't be renewed, or the provider fails.
        """
        began = datetime.now(UTC)
        async with self._sessions.begin() as session:
            row = await self._locked(session, owner, connection)
            # Whoever had to wait takes what another got meanwhile.
            renewed = row if row.updated_at > began else await self._renew(session, row, provider)
        if renewed is None:
            raise NotRefreshableError
        return renewed

    async def disconnect(
        self, owner: uuid.UUID, connection: uuid.UUID, provider: Provider | None, *, force: bool = False
    ) -> bool:
        """Revoke a connection's tokens at the provider and forget it.

        Args:
            owner: Whose it is.
            connection: Its id.
            provider: Its provider; None if it isn't configured any more.
            force: Forget it even if the provider is not available.

        Returns:
            Whether the tokens are revoked; if not, they may be good until the person revokes them at the provider.

        Raises:
            LinkingError: There is none, or the provider fails; then the connection stays.
        """
        async with self._sessions.begin() as session:
            row = await self._locked(session, owner, connection)
            access, refresh = await open_tokens(self._keys, session, row)
            revoked = row.status is ConnectionStatus.REVOKED
            try:
                if provider is not None and not revoked:
                    with told():
                        # A provider need not end the access tokens of a refresh token with it (RFC 7009, section 2.1).
                        if refresh is not None:
                            await provider.revoke(refresh, "refresh_token")
                        await provider.revoke(access, "access_token")
                    revoked = True
            except (ProviderUnavailableError, ProviderRefusedError):
                if not force:
                    raise
            await session.delete(row)
        return revoked

    async def get(self, owner: uuid.UUID, connection: uuid.UUID) -> ProviderConnection:
        """Return a connection.

        Args:
            owner: Whose it is.
            connection: Its id.

        Returns:
            The connection.

        Raises:
            UnknownConnectionError: There is none.
        """
        async with self._sessions() as session:
            return _found(await session.scalar(_one(owner, connection)))

    async def page(
        self, owner: uuid.UUID, limit: int, after: tuple[datetime, uuid.UUID] | None
    ) -> list[ProviderConnection]:
        """Return a person's connections, youngest first.

        Args:
            owner: Whose.
            limit: At most how many.
            after: The last one of the page before.

        Returns:
            The connections.
        """
        row = ProviderConnection
        wanted = select(row).where(row.owner == owner).order_by(row.created_at.desc(), row.id.desc()).limit(limit)
        if after is not None:
            wanted = wanted.where((row.created_at < after[0]) | ((row.created_at == after[0]) & (row.id < after[1])))
        async with self._sessions() as session:
            return list((await session.scalars(wanted)).all())

    async def due(self, limit: int) -> list[tuple[uuid.UUID, uuid.UUID, str]]:
        """Return connections that are to be refreshed now.

        Args:
            limit: At most how many.

        Returns:
            Owner, id and provider of each, the most urgent first.
        """
        row = ProviderConnection
        wanted = (
            select(row.owner, row.id, row.provider)
            .where(row.status == ConnectionStatus.ACTIVE, row.expires_at < datetime.now(UTC) + BEFORE_EXPIRY)
            .order_by(row.expires_at)
            .limit(limit)
        )
        async with self._sessions() as session:
            return [(owner, key, provider) for owner, key, provider in (await session.execute(wanted)).all()]

    async def _claim(self, session: AsyncSession, owner: uuid.UUID, provider: str, grant: Grant) -> ProviderConnection:
        values = {
            "id": uuid.uuid4(),
            "owner": owner,
            "provider": provider,
            "subject": grant.subject,
            "status": ConnectionStatus.ACTIVE,
            "scopes": list(grant.scopes),
            "key_id": await self._keys.current(session),
            "access_token": b"",
        }
        made = insert(ProviderConnection).values(values)
        await session.execute(made.on_conflict_do_nothing(index_elements=["owner", "provider", "subject"]))
        row = ProviderConnection
        mine = select(row).where(row.owner == owner, row.provider == provider, row.subject == grant.subject)
        return _found(await session.scalar(mine.with_for_update()))

    async def _renew(
        self, session: AsyncSession, row: ProviderConnection, provider: Provider
    ) -> ProviderConnection | None:
        _, refresh = await open_tokens(self._keys, session, row)
        if refresh is None or row.status is ConnectionStatus.REVOKED:
            row.status = ConnectionStatus.EXPIRED if refresh is None else row.status
            return None
        try:
            with told():
                grant = await provider.refresh(refresh)
        except ProviderRefusedError as error:
            if not isinstance(error.__cause__, RefusedError) or error.__cause__.code != "invalid_grant":
                raise
            log.info("The provider took a connection back", connection=str(row.id), provider=row.provider)
            row.status = ConnectionStatus.REVOKED
            return None
        row.status = ConnectionStatus.ACTIVE
        await self._keep(session, row, grant, refresh)
        return row

    async def _keep(self, session: AsyncSession, row: ProviderConnection, grant: Grant, refresh: str | None) -> None:
        await seal_tokens(self._keys, session, row, grant.access_token, grant.refresh_token or refresh)
        row.scopes, row.expires_at, row.updated_at = list(grant.scopes), grant.expires_at, datetime.now(UTC)

    @staticmethod
    async def _locked(session: AsyncSession, owner: uuid.UUID, connection: uuid.UUID) -> ProviderConnection:
        return _found(await session.scalar(_one(owner, connection).with_for_update()))


def _one(owner: uuid.UUID, connection: uuid.UUID) -> Select[ProviderConnection]:
    return select(ProviderConnection).where(ProviderConnection.owner == owner, ProviderConnection.id == connection)


def _found(row: ProviderConnection | None) -> ProviderConnection:
    if row is None:
        raise UnknownConnectionError
    return row


@contextmanager
def told() -> Iterator[None]:
    """Tell a provider's failure as a failure of linking.

    Raises:
        LinkingError: For each `ProviderError`, whose text holds no secret.
    """
    try:
        yield
    except InvalidIdTokenError as error:
        raise InvalidTokenError(f"{error}. Start linking the account again.") from error
    except RefusedError as error:
        raise ProviderRefusedError(f"It gave this reason: {error}") from error
    except ProviderError as error:
        raise ProviderUnavailableError(f"{error}. Try again in a while.") from error
