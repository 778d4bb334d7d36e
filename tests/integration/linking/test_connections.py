from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.ext.asyncio import async_sessionmaker

from app.core.models import ConnectionStatus
from app.linking import errors
from app.linking.connections import Connections
from app.linking.repository import Repository
from app.providers.errors import RefusedError, UnavailableError
from app.tokens.keys import DataKeys
from tests.integration.linking.conftest import OWNER, STRANGER, ProviderAtHand, change, link, tokens

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    Sessions = async_sessionmaker[AsyncSession]


@pytest.fixture
def elsewhere(sessions: Sessions, keys: DataKeys) -> Connections:
    """The connections as another process has them."""
    return Connections(Repository(sessions, DataKeys(keys.master)))


async def test_a_refresh_renews_the_tokens(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    row = await link(connections, provider)
    renewed = await connections.refresh(OWNER, row.id, provider)
    assert provider.refreshed == ["refresh-1"]
    assert renewed.updated_at > row.updated_at
    assert await tokens(sessions, keys) == [("access-2", "refresh-2")]


async def test_ten_in_two_processes_refresh_once(
    connections: Connections, elsewhere: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    row = await link(connections, provider)
    provider.delay = 0.2
    both = [one for one in (connections, elsewhere) for _ in range(5)]
    renewed = await asyncio.gather(*(one.refresh(OWNER, row.id, provider) for one in both))
    assert len({one.refreshed_at for one in renewed}) == 1
    assert provider.refreshed == ["refresh-1"]
    assert await tokens(sessions, keys) == [("access-2", "refresh-2")]


async def test_a_refresh_token_that_is_not_given_anew_is_kept(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    row = await link(connections, provider)
    provider.gives_refresh = False
    await connections.refresh(OWNER, row.id, provider)
    assert await tokens(sessions, keys) == [("access-2", "refresh-1")]


@pytest.mark.parametrize("left", [timedelta(hours=1), None])
async def test_a_connection_that_cannot_be_refreshed_stays_while_it_is_good(
    connections: Connections, provider: ProviderAtHand, left: timedelta | None
) -> None:
    provider.gives_refresh, provider.lifetime = False, left
    row = await link(connections, provider)
    with pytest.raises(errors.NotRefreshableError, match="no way to renew"):
        await connections.refresh(OWNER, row.id, provider)
    after = await connections.repository.get(OWNER, row.id)
    assert (after.status, after.updated_at) == (ConnectionStatus.ACTIVE, row.updated_at)


async def test_a_connection_that_cannot_be_refreshed_has_expired_once_its_access_has_ended(
    connections: Connections, provider: ProviderAtHand
) -> None:
    provider.gives_refresh, provider.lifetime = False, -timedelta(seconds=1)
    row = await link(connections, provider)
    with pytest.raises(errors.NotRefreshableError):
        await connections.refresh(OWNER, row.id, provider)
    assert (await connections.repository.get(OWNER, row.id)).status is ConnectionStatus.EXPIRED


async def test_a_new_grant_replaces_the_one_before_whole(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    first = await link(connections, provider)
    provider.gives_refresh = False
    assert (await link(connections, provider)).id == first.id
    assert await tokens(sessions, keys) == [("access-2", None)]


async def test_what_the_provider_took_back_is_revoked(connections: Connections, provider: ProviderAtHand) -> None:
    row = await link(connections, provider)
    provider.failure = RefusedError("invalid_grant", "revoked by the person")
    for _ in range(2):
        with pytest.raises(errors.NotRefreshableError):
            await connections.refresh(OWNER, row.id, provider)
    assert (await connections.repository.get(OWNER, row.id)).status is ConnectionStatus.REVOKED
    assert provider.refreshed == ["refresh-1"]


async def test_all_who_wait_are_told_that_the_provider_took_it_back(
    connections: Connections, elsewhere: Connections, provider: ProviderAtHand
) -> None:
    row = await link(connections, provider)
    provider.delay, provider.failure = 0.2, RefusedError("invalid_grant")
    both = [one for one in (connections, elsewhere) for _ in range(5)]
    told = await asyncio.gather(*(one.refresh(OWNER, row.id, provider) for one in both), return_exceptions=True)
    assert {type(one) for one in told} == {errors.NotRefreshableError}
    assert provider.refreshed == ["refresh-1"]
    assert (await connections.repository.get(OWNER, row.id)).status is ConnectionStatus.REVOKED


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (UnavailableError("down"), errors.ProviderUnavailableError),
        (RefusedError("invalid_client"), errors.ProviderRefusedError),
        (RuntimeError("a fault of the code"), RuntimeError),
    ],
)
async def test_a_refresh_that_fails_changes_nothing(
    connections: Connections, provider: ProviderAtHand, failure: Exception, kind: type[Exception]
) -> None:
    row = await link(connections, provider)
    provider.failure = failure
    for _ in range(2):  # nor does it keep another from trying at once
        with pytest.raises(kind):
            await connections.refresh(OWNER, row.id, provider)
    after = await connections.repository.get(OWNER, row.id)
    assert (after.status, after.updated_at) == (ConnectionStatus.ACTIVE, row.updated_at)
    assert provider.refreshed == ["refresh-1"] * 2


async def test_what_cannot_be_read_cannot_be_refreshed(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions
) -> None:
    row = await link(connections, provider)
    await change(sessions, refresh_token=b"changed")
    with pytest.raises(errors.NotRefreshableError, match="can't be decrypted"):
        await connections.refresh(OWNER, row.id, provider)
    assert (await connections.repository.get(OWNER, row.id)).status is ConnectionStatus.ACTIVE
    assert provider.refreshed == []


async def test_a_stranger_can_neither_refresh_nor_disconnect(
    connections: Connections, provider: ProviderAtHand
) -> None:
    row = await link(connections, provider)
    with pytest.raises(errors.UnknownConnectionError):
        await connections.refresh(STRANGER, row.id, provider)
    with pytest.raises(errors.UnknownConnectionError):
        await connections.disconnect(STRANGER, row.id, provider)
