"""What links accounts, on this worker's own database and cache, with a provider that each test can change."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.core.models import ProviderConnection
from app.linking import claims
from app.linking.connections import Connections
from app.linking.repository import Repository, locked
from app.linking.service import Linking
from app.providers.client import Challenge, Provider
from app.providers.errors import RefusedError
from app.providers.grants import Grant
from app.tokens.keys import DataKeys, open_tokens

if TYPE_CHECKING:
    from redis.asyncio import Redis

ISSUER = "https://issuer.example"
OWNER = uuid.UUID(int=1)
STRANGER = uuid.UUID(int=2)
SESSION = "the-session"
CHALLENGE = Challenge("state", "verifier", "nonce")

T = TypeVar("T")


@dataclass
class ProviderAtHand(Provider):
    """A provider in this process: gives numbered tokens, and fails as it is told to."""

    name: str = "sandbox"
    title: str = "Sandbox"
    lifetime: timedelta | None = timedelta(hours=1)
    gives_refresh: bool = True
    failure: Exception | None = None
    revocation_failure: Exception | None = None
    fails_for: set[str] = field(default_factory=set)
    delay: float = 0
    codes_wait: asyncio.Event | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    subject: str = "account-1"
    given: int = 0
    exchanged: list[str] = field(default_factory=list)
    refreshed: list[str] = field(default_factory=list)
    refreshed_thrice: asyncio.Event = field(default_factory=asyncio.Event)
    revoked: list[tuple[str, str]] = field(default_factory=list)
    issuer: str = ISSUER
    revokes_replaced: bool = True
    accepts_forms: bool = False
    dead: frozenset[str] = frozenset({"invalid_grant"})
    link_lifetime: timedelta | None = None
    _own_path: str | None = None

    async def authorization_url(self, challenge: Challenge) -> str:
        self._fail()
        return f"{ISSUER}/auth?state={challenge.state}"

    async def accepts_issuer(self, issuer: str | None) -> bool:
        self._fail()
        return issuer == ISSUER

    async def exchange(self, code: str, challenge: Challenge) -> Grant:
        self._fail()
        assert challenge.verifier
        if self.codes_wait is not None:
            self.asked.set()
            await self.codes_wait.wait()
        self.exchanged.append(code)
        ends = None if self.link_lifetime is None else datetime.now(UTC) + self.link_lifetime
        return replace(self._grant(self.subject), link_ends_at=ends)

    def ends_link(self, error: RefusedError) -> bool:
        return error.code in self.dead

    async def refresh(self, refresh_token: str) -> Grant:
        self.refreshed.append(refresh_token)
        if len(self.refreshed) == 3:
            self.refreshed_thrice.set()
        self.asked.set()
        await self.answers.wait()
        await asyncio.sleep(self.delay)
        if not self.fails_for or refresh_token in self.fails_for:
            self._fail()
        grant = self._grant(None)
        return replace(grant, refresh_token=grant.refresh_token or refresh_token)

    async def revoke(self, token: str, kind: str) -> None:
        self.asked.set()
        await self.answers.wait()
        self._fail()
        if self.revocation_failure is not None:
            raise self.revocation_failure
        self.revoked.append((token, kind))

    def __post_init__(self) -> None:
        self.answers.set()

    def hang(self) -> None:
        """Answer no refresh and no revocation until `answers` is set."""
        self.answers.clear()
        self.asked.clear()

    async def hanging(self, call: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin a call that asks it, and return it as long as it has no answer."""
        self.hang()
        begun = asyncio.create_task(call)
        await self.asked.wait()
        return begun

    def hang_until_another_waits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Answer the one that has claimed a connection only once another one has found it claimed."""
        self.hang()
        looks = 0

        async def look(*which: Any) -> ProviderConnection:  # noqa: ANN401 - as `locked`
            nonlocal looks
            row = await locked(*which)
            looks += 1
            if looks == 2:
                self.answers.set()
            return row

        monkeypatch.setattr(claims, "locked", look)

    def _grant(self, subject: str | None) -> Grant:
        self.given += 1
        refresh = f"refresh-{self.given}" if self.gives_refresh else None
        expires = datetime.now(UTC) + self.lifetime if self.lifetime is not None else None
        scopes: Sequence[str] = ("openid",)
        return Grant(f"access-{self.given}", refresh, expires, scopes, subject, self.issuer)

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


async def link(connections: Connections, provider: ProviderAtHand, subject: str = "account-1") -> ProviderConnection:
    """Link an account as the service does."""
    provider.subject = subject
    row, _ = await connections.repository.link(OWNER, provider.name, await provider.exchange("code", CHALLENGE))
    return row


async def tokens(sessions: async_sessionmaker[AsyncSession], keys: DataKeys) -> list[tuple[str, str | None]]:
    """Read every connection's tokens, the oldest connection's first."""
    async with sessions() as session:
        rows = (await session.scalars(select(ProviderConnection).order_by(ProviderConnection.created_at))).all()
        return [await open_tokens(keys, session, row) for row in rows]


async def change(sessions: async_sessionmaker[AsyncSession], **values: object) -> None:
    """Change every connection."""
    async with sessions.begin() as session:
        await session.execute(update(ProviderConnection).values(**values))


@pytest.fixture
def provider() -> ProviderAtHand:
    return ProviderAtHand()


@pytest.fixture
def connections(sessions: async_sessionmaker[AsyncSession], keys: DataKeys) -> Connections:
    return Connections(Repository(sessions, keys))


@pytest.fixture
def linking(provider: ProviderAtHand, connections: Connections, cache: Redis) -> Linking:
    return Linking({provider.name: provider}, connections, cache, "https://localhost:8000")
