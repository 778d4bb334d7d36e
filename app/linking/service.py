"""Links accounts: starts an authorization, takes the provider's answer, and finishes in the browser that started.

Source: RFC 6749 section 4.1 with the rules of RFC 9700: PKCE, a one-time state, the issuer checked, exact redirect URI.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from redis.asyncio import Redis

from app.core.models import ProviderConnection
from app.http.metrics import count_linking
from app.linking.authorizations import (
    PENDING_LIFETIME,
    RECEIPT_LIFETIME,
    OneTimeStore,
    Pending,
    Receipt,
    digest,
    random_name,
)
from app.linking.connections import Connections
from app.linking.errors import (
    UnknownProviderError,
    UnknownReceiptError,
    UnknownStateError,
    WrongIssuerError,
    WrongResponseModeError,
    WrongSessionError,
    authorization_error,
    provider_call,
)
from app.linking.schemas import ConnectionInfo, ConnectionPage, ProviderInfo, Redirect
from app.providers.client import Challenge, Provider

FINISH = "/finish"

CURSOR = r"^[0-9]{1,17}\.[0-9a-f]{32}$"
"""Where a page begins: the microseconds since 1970 and the id of the connection before."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Linking:
    """Everything that can be done with providers and connections."""

    def __init__(
        self, providers: Mapping[str, Provider], connections: Connections, redis: Redis, public_url: str
    ) -> None:
        self._providers, self._connections, self._public_url = providers, connections, public_url
        self._repository = connections.repository
        self._pending = OneTimeStore(redis, "pending", Pending, PENDING_LIFETIME)
        self._receipts = OneTimeStore(redis, "receipt", Receipt, RECEIPT_LIFETIME)

    def providers(self) -> list[ProviderInfo]:
        """Return the providers that accounts can be linked at."""
        return [ProviderInfo(name=one.name, title=one.title) for one in self._providers.values()]

    async def start(self, provider: str, *, owner: uuid.UUID, session: str) -> str:
        """Start an authorization that is bound to a browser session; return the address to send the browser to."""
        chosen = self._provider(provider)
        challenge = Challenge(state=random_name(), verifier=random_name(), nonce=random_name())
        with provider_call():
            url = await chosen.authorization_url(challenge)
        pending = Pending(
            provider=provider,
            owner=str(owner),
            session=digest(session),
            verifier=challenge.verifier,
            nonce=challenge.nonce,
        )
        await self._pending.put(challenge.state, pending)
        count_linking("started")
        return url

    async def receive(self, redirect: Redirect) -> str:
        """Take a provider's answer from the callback server; return the address where the browser continues."""
        pending = await self._pending.take(redirect.state.get_secret_value())
        if pending is None:
            raise UnknownStateError
        provider = self._provider(pending.provider)
        with provider_call():
            if not (await provider.accepts_issuer(redirect.iss) and provider.accepts_path(redirect.path)):
                raise WrongIssuerError
        if redirect.response_mode == "form_post" and not provider.accepts_forms:
            raise WrongResponseModeError
        if redirect.code is None:
            raise authorization_error(str(redirect.error), redirect.error_description)
        receipt = random_name()
        await self._receipts.put(receipt, Receipt(pending=pending, code=redirect.code.get_secret_value()))
        return f"{self._public_url}{FINISH}?{urlencode({'receipt': receipt})}"

    async def finish(self, receipt: str, *, session: str) -> ConnectionInfo:
        """Exchange the code, in the browser that started; `receipt` comes from `receive`."""
        answered = await self._receipts.take(receipt)
        if answered is None:
            raise UnknownReceiptError
        pending = answered.pending
        if not hmac.compare_digest(pending.session, digest(session)):
            raise WrongSessionError
        # The state has done its work, and was not stored.
        challenge = Challenge(state="", verifier=pending.verifier, nonce=pending.nonce)
        provider = self._provider(pending.provider)
        row = await self._connections.link(uuid.UUID(pending.owner), provider, answered.code, challenge)
        count_linking("linked")
        return self._info(row)

    async def connections(self, owner: uuid.UUID, *, limit: int = 50, after: str | None = None) -> ConnectionPage:
        """Return a page of a person's connections, youngest first; `after` is a page's `next`, of the form `CURSOR`."""
        rows = await self._repository.page(owner, limit + 1, _position(after) if after else None)
        following = _cursor(rows[limit - 1]) if len(rows) > limit else None
        return ConnectionPage(items=[self._info(row) for row in rows[:limit]], next=following)

    async def connection(self, owner: uuid.UUID, connection: uuid.UUID) -> ConnectionInfo:
        """Return a connection."""
        return self._info(await self._repository.get(owner, connection))

    async def refresh(self, owner: uuid.UUID, connection: uuid.UUID) -> ConnectionInfo:
        """Renew a connection's tokens."""
        row = await self._repository.get(owner, connection)
        refreshed = await self._connections.refresh(owner, connection, self._provider(row.provider))
        count_linking("refreshed")
        return self._info(refreshed)

    async def disconnect(self, owner: uuid.UUID, connection: uuid.UUID, *, forget: bool = False) -> bool:
        """Revoke a connection's tokens and forget it; return whether they are revoked, see `Connections.disconnect`."""
        row = await self._repository.get(owner, connection)
        provider = self._providers.get(row.provider)
        revoked = await self._connections.disconnect(owner, connection, provider, force=forget)
        count_linking("disconnected")
        return revoked

    def _provider(self, name: str) -> Provider:
        try:
            return self._providers[name]
        except KeyError:
            raise UnknownProviderError from None

    def _info(self, row: ProviderConnection) -> ConnectionInfo:
        provider = self._providers.get(row.provider)
        return ConnectionInfo(
            id=row.id,
            provider=row.provider,
            title=provider.title if provider else row.provider,
            subject=row.subject,
            status=row.status.value,
            scopes=row.scopes,
            created_at=row.created_at,
            updated_at=row.updated_at,
            expires_at=row.expires_at,
            link_ends_at=row.link_ends_at,
        )


def _cursor(row: ProviderConnection) -> str:
    return f"{(row.created_at - _EPOCH) // _MICROSECOND}.{row.id.hex}"


def _position(cursor: str) -> tuple[datetime, uuid.UUID]:
    moment, _, key = cursor.partition(".")
    return _EPOCH + int(moment) * _MICROSECOND, uuid.UUID(hex=key)
