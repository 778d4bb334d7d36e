from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast
from unittest.mock import AsyncMock, Mock

import pytest

from app.core.models import ConnectionStatus, ProviderConnection
from app.linking import connections as module
from app.linking.claims import Claimed
from app.linking.connections import Connections
from app.linking.errors import LinkedAgainError
from app.providers.client import Provider
from app.providers.grants import Grant

if TYPE_CHECKING:
    from app.linking.repository import Repository

OWNER, KEY = uuid.UUID(int=1), uuid.UUID(int=2)
CLAIMED = datetime(2026, 1, 1, tzinfo=UTC)
AGAIN = CLAIMED + timedelta(seconds=1)


def row(refreshed_at: datetime) -> ProviderConnection:
    return ProviderConnection(
        id=KEY, owner=OWNER, provider="bank", status=ConnectionStatus.ACTIVE, refreshed_at=refreshed_at
    )


@dataclass
class LinkedAgainAfterTheClaim:
    """The repository of one connection that is linked again after it was claimed, and before or after it is read."""

    before_reading: bool
    sessions: object = None

    async def open(self, _claimed: ProviderConnection) -> tuple[ProviderConnection, str, str]:
        return row(AGAIN if self.before_reading else CLAIMED), "access", "refresh"

    async def renew(self, known: ProviderConnection, grant: Grant) -> tuple[ProviderConnection, Grant | None]:
        return known, None if known.refreshed_at == AGAIN else grant

    async def forget(self, known: ProviderConnection) -> bool:
        return known.refreshed_at == AGAIN


@pytest.fixture(autouse=True)
def claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def claim(*_: object) -> AsyncIterator[Claimed]:
        yield Claimed(row(CLAIMED), renewed=False)

    monkeypatch.setattr(module, "claim", claim)


@pytest.fixture
def provider() -> Mock:
    made = Mock(spec=Provider, issuer="https://bank.example")
    made.refresh = AsyncMock(return_value=Grant("new", "newer", None, None, None))
    return made


def of(*, before_reading: bool) -> Connections:
    return Connections(cast("Repository", LinkedAgainAfterTheClaim(before_reading)))


@pytest.mark.parametrize("before_reading", [True, False])
async def test_what_a_refresh_gave_is_revoked_only_if_it_came_of_the_link_before(
    provider: Mock, *, before_reading: bool
) -> None:
    await of(before_reading=before_reading).refresh(OWNER, KEY, provider)
    assert provider.revoke_grant.called != before_reading


async def test_a_link_that_was_read_is_forgotten(provider: Mock) -> None:
    assert await of(before_reading=True).disconnect(OWNER, KEY, provider)


async def test_a_link_that_nobody_read_stays(provider: Mock) -> None:
    with pytest.raises(LinkedAgainError):
        await of(before_reading=False).disconnect(OWNER, KEY, provider)
