from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.core.models import ConnectionStatus
from app.linking import errors
from app.providers.errors import RefusedError, UnavailableError
from app.tokens.keys import seal_tokens
from tests.integration.linking.conftest import OWNER, ProviderAtHand, change, link, tokens

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

    from app.linking.connections import Connections
    from app.tokens.keys import DataKeys

    Sessions = async_sessionmaker[AsyncSession]

ALL = [("refresh-1", "refresh_token"), ("access-1", "access_token")]


async def gone(connections: Connections, key: UUID) -> bool:
    return key not in {row.id for row in await connections.repository.page(OWNER, 50, None)}


@pytest.mark.parametrize(("gives_refresh", "revoked"), [(True, ALL), (False, ALL[1:])])
async def test_what_there_is_is_revoked(
    connections: Connections, provider: ProviderAtHand, *, gives_refresh: bool, revoked: list[tuple[str, str]]
) -> None:
    provider.gives_refresh = gives_refresh
    row = await link(connections, provider)
    assert await connections.disconnect(OWNER, row.id, provider) is True
    assert provider.revoked == revoked
    assert await gone(connections, row.id)


async def test_what_the_provider_took_back_needs_no_revocation(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions
) -> None:
    row = await link(connections, provider)
    await change(sessions, status=ConnectionStatus.REVOKED)
    assert await connections.disconnect(OWNER, row.id, provider) is True
    assert provider.revoked == []
    assert await gone(connections, row.id)


async def test_what_was_lost_is_not_said_to_be_revoked(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    row = await link(connections, provider)
    async with sessions.begin() as session:  # as a restore leaves what nobody can read
        lost = await session.merge(row)
        await seal_tokens(keys, session, lost, ("", None), lost.key_id)
        lost.status = ConnectionStatus.REVOKED
    assert await connections.disconnect(OWNER, row.id, provider) is False
    assert provider.revoked == []
    assert await gone(connections, row.id)


async def test_what_cannot_be_read_is_forgotten(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions
) -> None:
    row = await link(connections, provider)
    await change(sessions, access_token=b"changed")
    assert await connections.disconnect(OWNER, row.id, provider) is False
    assert provider.revoked == []
    assert await gone(connections, row.id)


async def test_what_is_linked_again_meanwhile_stays_linked(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    row = await link(connections, provider)
    asking = await provider.hanging(connections.disconnect(OWNER, row.id, provider))
    await link(connections, provider)
    provider.answers.set()
    with pytest.raises(errors.LinkedAgainError):
        await asking
    assert provider.revoked == ALL
    assert await tokens(sessions, keys) == [("access-2", "refresh-2")]
    assert await connections.disconnect(OWNER, row.id, provider) is True
    assert await gone(connections, row.id)


async def test_a_provider_that_refuses_keeps_nobody(connections: Connections, provider: ProviderAtHand) -> None:
    row = await link(connections, provider)
    provider.failure = RefusedError("unsupported_token_type")
    assert await connections.disconnect(OWNER, row.id, provider) is False
    assert await gone(connections, row.id)


async def test_a_provider_that_is_gone_keeps_nobody(connections: Connections, provider: ProviderAtHand) -> None:
    row = await link(connections, provider)
    assert await connections.disconnect(OWNER, row.id, None) is False
    assert await gone(connections, row.id)


async def test_a_provider_that_is_not_available_is_tried_again_or_done_without(
    connections: Connections, provider: ProviderAtHand
) -> None:
    row = await link(connections, provider)
    provider.failure = UnavailableError("down")
    with pytest.raises(errors.ProviderUnavailableError):
        await connections.disconnect(OWNER, row.id, provider)
    assert (await connections.repository.get(OWNER, row.id)).status is ConnectionStatus.ACTIVE
    assert await connections.disconnect(OWNER, row.id, provider, force=True) is False
    assert await gone(connections, row.id)
