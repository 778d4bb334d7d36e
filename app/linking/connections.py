"""Connections and their tokens: refresh once, disconnect."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.core.in_flight import Flights
from app.core.models import ConnectionStatus, ProviderConnection
from app.linking.asking import PATIENCE, asking
from app.linking.claims import claim
from app.linking.errors import NotRefreshableError, ProviderRefusedError, ProviderUnavailableError
from app.linking.repository import Stored
from app.linking.rows import due_since
from app.providers.interface import Provider, RefusedError
from app.tokens.keys import DataKeys
from app.tokens.vault import UnreadableError

UNREADABLE = "Its tokens can't be decrypted any more. Link the account again."
NO_REFRESH = "The provider gave no way to renew this connection. When its access has ended, link the account again."

log = structlog.get_logger(__name__)


class Connections(Stored):
    """The connections, with what providers are asked about them."""

    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], keys: DataKeys, *, patience: float = PATIENCE
    ) -> None:
        super().__init__(sessions, keys)
        self._patience = patience
        self._flights = Flights()

    async def refresh(
        self, owner: uuid.UUID, connection: uuid.UUID, provider: Provider, *, only_due: bool = False
    ) -> ProviderConnection:
        """Renew a connection's tokens at the provider: once, however many ask at the same time, in whatever process.

        Once begun it goes on to its end, for what the provider gives may be the only token that is still good.
        """
        return await self._flights.join(
            ("refresh", owner, connection), lambda: self._refresh(owner, connection, provider, only_due=only_due)
        )

    async def disconnect(
        self, owner: uuid.UUID, connection: uuid.UUID, provider: Provider | None, *, force: bool = False
    ) -> bool:
        """Revoke a connection's tokens at the provider and forget it."""
        return await self._flights.join(
            ("disconnect", owner, connection, force), lambda: self._disconnect(owner, connection, provider, force=force)
        )

    async def settle(self) -> None:
        """Wait until no refresh and no disconnect is under way."""
        await self._flights.settle()

    async def _refresh(
        self, owner: uuid.UUID, connection: uuid.UUID, provider: Provider, *, only_due: bool
    ) -> ProviderConnection:
        async with claim(self.sessions, owner, connection) as claimed:
            row = claimed.row
            if claimed.renewed or (only_due and not _is_due(row)):
                return row
            refresh = await self._refresh_token(row)
            try:
                async with asking(provider.title, self._patience):
                    grant = await provider.refresh(refresh)
            except ProviderRefusedError as error:
                if not isinstance(error.__cause__, RefusedError) or error.__cause__.code != "invalid_grant":
                    raise
                log.info("The provider took a connection back", connection=str(row.id), provider=row.provider)
                await self.end(row, ConnectionStatus.REVOKED)
                raise NotRefreshableError from error
            return await self.renew(row, grant, refresh)

    async def _refresh_token(self, row: ProviderConnection) -> str:
        if row.status is ConnectionStatus.REVOKED:
            raise NotRefreshableError
        try:
            _, refresh = await self.open(row)
        except UnreadableError as error:
            log.warning("A connection can't be read", connection=str(row.id), reason=str(error))
            raise NotRefreshableError(UNREADABLE) from error
        if refresh is None:
            if row.expires_at is not None and row.expires_at <= datetime.now(UTC):
                await self.end(row, ConnectionStatus.EXPIRED)
            raise NotRefreshableError(NO_REFRESH)
        return refresh

    async def _disconnect(
        self, owner: uuid.UUID, connection: uuid.UUID, provider: Provider | None, *, force: bool
    ) -> bool:
        async with claim(self.sessions, owner, connection) as claimed:
            try:
                revoked = await self._revoke(claimed.row, provider)
            except ProviderUnavailableError:
                if not force:
                    raise
                revoked = False
            await self.forget(claimed.row)
            return revoked

    async def _revoke(self, row: ProviderConnection, provider: Provider | None) -> bool:
        try:
            access, refresh = await self.open(row)
        except UnreadableError as error:
            log.warning("A connection can't be read", connection=str(row.id), reason=str(error))
            return False
        if row.status is ConnectionStatus.REVOKED:
            return bool(access)  # without one nobody could read its tokens after a restore: they may still be good
        if provider is None:
            return False
        # A provider need not end the access tokens of a refresh token with it (RFC 7009, section 2.1).
        tokens = [(refresh, "refresh_token"), (access, "access_token")]
        async with asking(provider.title, self._patience):
            return all([await _revoked(provider, token, kind) for token, kind in tokens if token])


async def _revoked(provider: Provider, token: str, kind: str) -> bool:
    try:
        await provider.revoke(token, kind)
    except RefusedError as error:
        log.info("The provider refuses to revoke", provider=provider.name, kind=kind, reason=str(error))
        return False
    return True


def _is_due(row: ProviderConnection) -> bool:
    since = due_since(row)
    return row.status is ConnectionStatus.ACTIVE and since is not None and since <= datetime.now(UTC)
