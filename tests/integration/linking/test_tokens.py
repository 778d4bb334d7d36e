from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from app.linking import errors
from app.linking.keys import DataKeys, open_tokens
from app.linking.refresher import refresh_due, refreshing
from app.linking.rotation import rotate
from app.models import ConnectionStatus, ProviderConnection, TokenKey
from app.providers.interface import Challenge, RefusedError, UnavailableError
from app.vault import MasterKeys, UnreadableError, new_key
from tests.integration.linking.conftest import OWNER, STRANGER, ProviderAtHand

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

    from app.linking.tokens import Connections

    Sessions = async_sessionmaker[AsyncSession]

CHALLENGE = Challenge("state", "verifier", "nonce")


async def _link(connections: Connections, provider: ProviderAtHand) -> ProviderConnection:
    return await connections.link(OWNER, provider.name, await provider.exchange("code", CHALLENGE))


async def _tokens(sessions: Sessions, keys: DataKeys) -> list[tuple[str, str | None]]:
    async with sessions() as session:
        rows = (await session.scalars(select(ProviderConnection).order_by(ProviderConnection.created_at))).all()
        return [await open_tokens(keys, session, row) for row in rows]


async def test_tokens_are_sealed_where_they_stand(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    row = await _link(connections, provider)
    assert b"access-1" not in row.access_token
    assert await _tokens(sessions, keys) == [("access-1", "refresh-1")]


async def test_a_ciphertext_cannot_be_moved_to_another_row(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    first = await _link(connections, provider)
    provider.subject = "account-2"
    second = await _link(connections, provider)
    async with sessions.begin() as session:
        moved = update(ProviderConnection).where(ProviderConnection.id == second.id)
        await session.execute(moved.values(access_token=first.access_token, refresh_token=first.refresh_token))
    with pytest.raises(UnreadableError, match=str(second.id)):
        await _tokens(sessions, keys)


async def test_a_ciphertext_cannot_be_moved_to_another_column(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    row = await _link(connections, provider)
    async with sessions.begin() as session:
        await session.execute(update(ProviderConnection).values(access_token=row.refresh_token))
    with pytest.raises(UnreadableError):
        await _tokens(sessions, keys)


async def test_another_master_key_opens_nothing(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions
) -> None:
    await _link(connections, provider)
    with pytest.raises(UnreadableError):
        await _tokens(sessions, DataKeys(MasterKeys("m1", {"m1": new_key()})))


async def test_the_first_key_is_made_once(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions
) -> None:
    grants = []
    for number in range(6):
        provider.subject = f"account-{number}"
        grants.append(await provider.exchange("code", CHALLENGE))
    await asyncio.gather(*(connections.link(OWNER, "sandbox", grant) for grant in grants))
    async with sessions() as session:
        assert len((await session.scalars(select(TokenKey))).all()) == 1


async def test_a_refresh_renews_the_tokens(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    row = await _link(connections, provider)
    renewed = await connections.refresh(OWNER, row.id, provider)
    assert provider.refreshed == ["refresh-1"]
    assert renewed.updated_at > row.updated_at
    assert await _tokens(sessions, keys) == [("access-2", "refresh-2")]


async def test_ten_at_the_same_time_refresh_once(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    row = await _link(connections, provider)
    provider.delay = 0.2
    await asyncio.gather(*(connections.refresh(OWNER, row.id, provider) for _ in range(10)))
    assert provider.refreshed == ["refresh-1"]
    assert await _tokens(sessions, keys) == [("access-2", "refresh-2")]


async def test_a_refresh_token_that_is_not_given_anew_is_kept(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    row = await _link(connections, provider)
    provider.gives_refresh = False
    await connections.refresh(OWNER, row.id, provider)
    assert await _tokens(sessions, keys) == [("access-2", "refresh-1")]


async def test_what_cannot_be_refreshed_is_expired(connections: Connections, provider: ProviderAtHand) -> None:
    provider.gives_refresh = False
    row = await _link(connections, provider)
    with pytest.raises(errors.NotRefreshableError):
        await connections.refresh(OWNER, row.id, provider)
    assert (await connections.get(OWNER, row.id)).status is ConnectionStatus.EXPIRED


async def test_a_disconnect_revokes_what_there_is(connections: Connections, provider: ProviderAtHand) -> None:
    provider.gives_refresh = False
    row = await _link(connections, provider)
    await connections.disconnect(OWNER, row.id, provider)
    assert provider.revoked == [("access-1", "access_token")]


async def test_what_the_provider_took_back_is_revoked(connections: Connections, provider: ProviderAtHand) -> None:
    row = await _link(connections, provider)
    provider.failure = RefusedError("invalid_grant", "revoked by the person")
    for _ in range(2):
        with pytest.raises(errors.NotRefreshableError):
            await connections.refresh(OWNER, row.id, provider)
    assert (await connections.get(OWNER, row.id)).status is ConnectionStatus.REVOKED
    assert provider.refreshed == ["refresh-1"]
    await connections.disconnect(OWNER, row.id, provider)
    assert provider.revoked == []


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (UnavailableError("down"), errors.ProviderUnavailableError),
        (RefusedError("invalid_client"), errors.ProviderRefusedError),
    ],
)
async def test_a_refresh_that_fails_changes_nothing(
    connections: Connections,
    provider: ProviderAtHand,
    failure: UnavailableError | RefusedError,
    kind: type[errors.LinkingError],
) -> None:
    row = await _link(connections, provider)
    provider.failure = failure
    with pytest.raises(kind):
        await connections.refresh(OWNER, row.id, provider)
    after = await connections.get(OWNER, row.id)
    assert (after.status, after.updated_at) == (ConnectionStatus.ACTIVE, row.updated_at)


async def test_what_is_due_is_refreshed_before_its_end(connections: Connections, provider: ProviderAtHand) -> None:
    await _link(connections, provider)
    assert await refresh_due(connections, {provider.name: provider}) == 0
    provider.subject, provider.lifetime = "account-2", timedelta(seconds=30)
    due = await _link(connections, provider)
    provider.lifetime = timedelta(hours=1)
    assert await refresh_due(connections, {provider.name: provider}) == 1
    assert provider.refreshed == ["refresh-2"]
    assert (await connections.get(OWNER, due.id)).updated_at > due.updated_at


async def test_one_that_fails_keeps_no_other_from_being_refreshed(
    connections: Connections, provider: ProviderAtHand
) -> None:
    broken = ProviderAtHand(name="broken", lifetime=timedelta(seconds=1))
    gone = ProviderAtHand(name="gone", lifetime=timedelta(seconds=1))
    provider.lifetime = timedelta(seconds=30)
    for one in (broken, gone, provider):
        await _link(connections, one)
    broken.failure = UnavailableError("down")
    assert await refresh_due(connections, {"broken": broken, "sandbox": provider}) == 1


async def test_refreshing_goes_on_until_it_is_told_to_end(connections: Connections, provider: ProviderAtHand) -> None:
    provider.lifetime = timedelta(seconds=1)
    await _link(connections, provider)
    async with asyncio.timeout(10), refreshing(connections, {provider.name: provider}, period=0.01):
        await provider.refreshed_thrice.wait()


async def test_a_rotation_seals_everything_anew(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    for number in range(120):
        provider.subject = f"account-{number}"
        await _link(connections, provider)
    before = await _tokens(sessions, keys)
    done = await rotate(sessions, keys)
    assert (done.connections, done.retired) == (120, 1)
    async with sessions() as session:
        assert [one.id for one in await session.scalars(select(TokenKey))] == [done.key]
        used = select(ProviderConnection.key_id).distinct()
        assert (await session.scalars(used)).all() == [done.key]
    assert await _tokens(sessions, keys) == before


async def test_no_read_fails_while_keys_are_rotated(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    for number in range(60):
        provider.subject = f"account-{number}"
        await _link(connections, provider)
    other_process = DataKeys(keys.master)
    reads = 0
    rotations = asyncio.create_task(_rotate_thrice(sessions, keys))
    while not rotations.done():
        assert len(await _tokens(sessions, other_process)) == 60
        reads += 1
    await rotations
    assert reads > 1


async def _rotate_thrice(sessions: Sessions, keys: DataKeys) -> None:
    for _ in range(3):
        await rotate(sessions, keys)


async def test_a_rotation_of_nothing_is_fine(sessions: Sessions, keys: DataKeys) -> None:
    done = await rotate(sessions, keys)
    assert (done.connections, done.retired) == (0, 0)


async def test_a_stranger_cannot_refresh(connections: Connections, provider: ProviderAtHand) -> None:
    row = await _link(connections, provider)
    with pytest.raises(errors.UnknownConnectionError):
        await connections.refresh(STRANGER, row.id, provider)
