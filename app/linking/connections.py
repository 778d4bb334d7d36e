"""What is done with connections at their providers: link, refresh, once for all callers, and disconnect."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import structlog

from app.core.in_flight import InFlight
from app.core.models import ConnectionStatus, ProviderConnection
from app.linking.claims import claim, retry_during_outage
from app.linking.errors import LinkedAgainError, NotRefreshableError, ProviderUnavailableError, provider_call
from app.linking.repository import Repository, due_since
from app.providers.client import Challenge, Provider
from app.providers.errors import RefusedError, UnavailableError
from app.providers.grants import Grant
from app.tokens.vault import UnreadableError

UNREADABLE = "Its tokens can't be decrypted any more. Link the account again."
OTHER_ISSUER = "It was linked at another provider than the one that is configured now. Link the account again."
NO_REFRESH = "The provider gave no way to renew this connection. When its access has ended, link the account again."

log = structlog.get_logger(__name__)


class Connections:
    """Links, refreshes and disconnects connections; each call runs to its end once begun."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._in_flight = InFlight()

    async def link(self, owner: uuid.UUID, provider: Provider, code: str, challenge: Challenge) -> ProviderConnection:
        """Exchange a code and store what it grants; what that replaces, or what can't be stored, is revoked.

        It runs to its end, for nothing else can get the tokens again.
        """
        return await self._in_flight.join(
            ("link", challenge.verifier), lambda: self._link(owner, provider, code, challenge)
        )

    async def refresh(
        self, owner: uuid.UUID, connection: uuid.UUID, provider: Provider, *, only_due: bool = False
    ) -> ProviderConnection:
        """Renew a connection's tokens at the provider: once, however many callers there are, in whatever process.

        It runs to its end, for the provider's answer may hold the only token that is still valid. With `only_due`, a
        connection stays as it is unless its access ends soon.
        """
        return await self._in_flight.join(
            ("refresh", owner, connection), lambda: self._refresh(owner, connection, provider, only_due=only_due)
        )

    async def disconnect(
        self, owner: uuid.UUID, connection: uuid.UUID, provider: Provider | None, *, force: bool = False
    ) -> bool:
        """Revoke a connection's tokens and forget it; with `force` even if the provider is not available.

        It returns whether the tokens are revoked; if not, the person can revoke them at the provider.
        """
        return await self._in_flight.join(
            ("disconnect", owner, connection, force), lambda: self._disconnect(owner, connection, provider, force=force)
        )

    async def settle(self) -> None:
        """Wait until nothing is in flight."""
        await self._in_flight.settle()

    async def _link(self, owner: uuid.UUID, provider: Provider, code: str, challenge: Challenge) -> ProviderConnection:
        with provider_call():
            grant = await provider.exchange(code, challenge)
        try:
            row, replaced = await retry_during_outage(lambda: self.repository.link(owner, provider.name, grant), None)
        except Exception:
            await provider.revoke_grant(grant)
            raise
        if replaced is not None:
            await provider.revoke_grant(replaced)
        return row

    async def _refresh(
        self, owner: uuid.UUID, connection: uuid.UUID, provider: Provider, *, only_due: bool
    ) -> ProviderConnection:
        async with claim(self.repository.sessions, owner, connection) as claimed:
            if claimed.renewed or (only_due and not _is_due(claimed.row)):
                return claimed.row
            row, refresh = await self._refreshable(claimed.row, provider)
            with provider_call():
                grant = await self._refreshed(row, provider, refresh)
            stored, unused = await retry_during_outage(lambda: self.repository.renew(row, grant), row.claimed_until)
            if unused is not None:
                await provider.revoke_grant(unused)
            return stored

    async def _refreshed(self, row: ProviderConnection, provider: Provider, refresh: str) -> Grant:
        try:
            return await provider.refresh(refresh)
        except UnavailableError as error:
            if error.retry_after is not None:
                await self.repository.postpone(row, error.retry_after)
            raise
        except RefusedError as error:
            ended = row.link_ends_at is not None and row.link_ends_at <= datetime.now(UTC)
            if not (ended or provider.ends_link(error)):
                raise
            about = {"connection": str(row.id), "provider": row.provider}
            log.info("The provider ended the link", reason=str(error), **about)
            await self.repository.end(row, ConnectionStatus.REVOKED)
            raise NotRefreshableError from None

    async def _refreshable(self, claimed: ProviderConnection, provider: Provider) -> tuple[ProviderConnection, str]:
        """Return a connection as it is now, which may have been linked again since the claim; and its refresh token."""
        try:
            row, _, refresh = await self.repository.open(claimed)
        except UnreadableError as error:
            log.warning("A connection can't be read", connection=str(claimed.id), reason=str(error))
            raise NotRefreshableError(UNREADABLE) from error
        if row.status is ConnectionStatus.REVOKED:
            raise NotRefreshableError
        if not _is_its_issuer(provider, row):
            raise NotRefreshableError(OTHER_ISSUER)
        if refresh is None:
            if row.expires_at is not None and row.expires_at <= datetime.now(UTC):
                await self.repository.end(row, ConnectionStatus.EXPIRED)
            raise NotRefreshableError(NO_REFRESH)
        return row, refresh

    async def _disconnect(
        self, owner: uuid.UUID, connection: uuid.UUID, provider: Provider | None, *, force: bool
    ) -> bool:
        async with claim(self.repository.sessions, owner, connection) as claimed:
            row, revoked = claimed.row, False
            try:
                row, access, refresh = await self.repository.open(row)
                revoked = await _revoke(row, access, refresh, provider)
            except UnreadableError as error:
                log.warning("A connection can't be read", connection=str(row.id), reason=str(error))
            except ProviderUnavailableError:
                if not force:
                    raise
            if not await self.repository.forget(row):
                raise LinkedAgainError
            return revoked


async def _revoke(row: ProviderConnection, access: str, refresh: str | None, provider: Provider | None) -> bool:
    if row.status is ConnectionStatus.REVOKED:
        return bool(access)  # empty after a restore without keys: the lost tokens may still be valid
    if provider is None or not _is_its_issuer(provider, row):
        return False
    # A provider need not end the access tokens of a refresh token with it (RFC 7009, section 2.1).
    tokens = [(refresh, "refresh_token"), (access, "access_token")]
    with provider_call():
        return all([await _revoked(provider, token, kind) for token, kind in tokens if token])


async def _revoked(provider: Provider, token: str, kind: str) -> bool:
    try:
        await provider.revoke(token, kind)
    except RefusedError as error:
        log.info("The provider refuses to revoke", provider=provider.name, kind=kind, reason=str(error))
        return False
    return True


def _is_its_issuer(provider: Provider, row: ProviderConnection) -> bool:
    return row.issuer in (None, provider.issuer)


def _is_due(row: ProviderConnection) -> bool:
    since = due_since(row)
    return row.status is ConnectionStatus.ACTIVE and since is not None and since <= datetime.now(UTC)
