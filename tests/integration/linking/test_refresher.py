from __future__ import annotations

import asyncio
import traceback
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from app.core.models import ConnectionStatus
from app.linking import claims, refresher
from app.linking.claims import MAX_BACKOFF, MIN_BACKOFF
from app.linking.refresher import AT_ONCE, BATCH, refresh_due, refreshing
from app.providers.errors import UnavailableError
from tests.integration.linking.conftest import OWNER, ProviderAtHand, change, link, tokens

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

    from app.linking.connections import Connections
    from app.tokens.keys import DataKeys

    Sessions = async_sessionmaker[AsyncSession]


async def test_what_is_due_is_refreshed_before_its_end(connections: Connections, provider: ProviderAtHand) -> None:
    await link(connections, provider)
    assert await refresh_due(connections, provider) == 0
    provider.lifetime = timedelta(seconds=30)
    due = await link(connections, provider, "account-2")
    provider.lifetime = timedelta(hours=1)
    assert await refresh_due(connections, provider) == 1
    assert provider.refreshed == ["refresh-2"]
    assert (await connections.repository.get(OWNER, due.id)).updated_at > due.updated_at


async def test_what_has_no_refresh_token_has_expired_when_its_access_ends_and_no_sooner(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions
) -> None:
    provider.gives_refresh, provider.lifetime = False, timedelta(seconds=30)
    row = await link(connections, provider)
    await refresh_due(connections, provider)
    assert (await connections.repository.get(OWNER, row.id)).status is ConnectionStatus.ACTIVE
    await change(sessions, expires_at=datetime.now(UTC))
    await refresh_due(connections, provider)
    assert (await connections.repository.get(OWNER, row.id)).status is ConnectionStatus.EXPIRED


async def test_what_another_process_has_just_refreshed_is_left_alone(
    connections: Connections, provider: ProviderAtHand
) -> None:
    provider.lifetime = timedelta(seconds=30)
    row = await link(connections, provider)
    [due] = await connections.repository.due(provider.name, 1)
    provider.lifetime = timedelta(hours=1)
    await connections.refresh(OWNER, row.id, provider)
    await connections.refresh(*due, provider, only_due=True)
    assert provider.refreshed == ["refresh-1"]


async def test_other_providers_connections_are_left_alone(connections: Connections, provider: ProviderAtHand) -> None:
    removed = ProviderAtHand(name="removed", lifetime=timedelta(seconds=1))
    for number in range(BATCH + 1):
        await link(connections, removed, f"account-{number}")
    provider.lifetime = timedelta(seconds=30)
    await link(connections, provider)
    assert await refresh_due(connections, provider) == 1


@pytest.mark.parametrize("failure", [UnavailableError("down"), RuntimeError("hush")])
async def test_what_fails_keeps_nothing_else_waiting(
    connections: Connections, provider: ProviderAtHand, failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "MIN_BACKOFF", MAX_BACKOFF)
    provider.lifetime = timedelta(seconds=1)
    for number in range(1, BATCH + 2):
        await link(connections, provider, f"account-{number}")
    provider.lifetime = timedelta(seconds=30)
    await link(connections, provider, "the last one")
    provider.failure, provider.fails_for = failure, {f"refresh-{number}" for number in range(1, BATCH + 2)}
    with capture_logs():
        assert await refresh_due(connections, provider) == 0
        assert await refresh_due(connections, provider) == 1
    assert len(provider.refreshed) == BATCH + 2


@pytest.mark.parametrize(
    ("overdue", "wait"),
    [
        (timedelta(0), MIN_BACKOFF),
        (timedelta(minutes=4), timedelta(minutes=4)),
        (timedelta(days=4), MAX_BACKOFF),
    ],
)
async def test_what_fails_is_tried_again_less_and_less_often(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, overdue: timedelta, wait: timedelta
) -> None:
    provider.lifetime = timedelta(minutes=1) - overdue
    row = await link(connections, provider)
    provider.failure = UnavailableError("down")
    assert await refresh_due(connections, provider) == 0
    retry_at = (await connections.repository.get(OWNER, row.id)).retry_at
    assert retry_at
    assert retry_at - datetime.now(UTC) == pytest.approx(wait, abs=timedelta(seconds=5))
    provider.failure = None
    assert await refresh_due(connections, provider) == 0
    await change(sessions, retry_at=datetime.now(UTC))
    assert await refresh_due(connections, provider) == 1
    assert (await connections.repository.get(OWNER, row.id)).retry_at is None


async def test_a_provider_that_asks_to_wait_is_not_asked_for_the_next(
    connections: Connections, provider: ProviderAtHand
) -> None:
    provider.lifetime = timedelta(seconds=30)
    for number in range(AT_ONCE * 3):
        await link(connections, provider, f"account-{number}")
    provider.failure = UnavailableError("429", 600.0)
    with capture_logs():
        assert await refresh_due(connections, provider) == 0
    assert len(provider.refreshed) <= AT_ONCE


async def test_an_unexpected_failure_is_logged_without_its_text(
    connections: Connections, provider: ProviderAtHand
) -> None:
    provider.lifetime = timedelta(seconds=1)
    row = await link(connections, provider)
    provider.failure = ValueError("refresh-1 is no number")
    with capture_logs() as entries:
        assert await refresh_due(connections, provider) == 0
    [entry] = [entry for entry in entries if entry["log_level"] == "error"]
    trace = "".join(traceback.format_exception(entry.pop("exc_info")))
    assert entry["connection"] == str(row.id)
    assert "ValueError" in trace
    assert "_fail" in trace
    assert "refresh-1" not in f"{trace}{entry}"


async def test_refreshing_goes_on_until_it_is_told_to_end(
    connections: Connections, provider: ProviderAtHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresher, "PERIOD", 0.01)
    provider.lifetime = timedelta(seconds=1)
    await link(connections, provider)
    async with asyncio.timeout(10), refreshing(connections, {provider.name: provider}):
        await provider.refreshed_thrice.wait()


async def test_a_provider_that_hangs_keeps_no_other_waiting(
    connections: Connections, provider: ProviderAtHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresher, "PERIOD", 0.01)
    hanging = ProviderAtHand(name="hanging", lifetime=timedelta(seconds=1))
    provider.lifetime = timedelta(seconds=1)
    for number in range(BATCH):
        await link(connections, hanging, f"account-{number}")
    await link(connections, provider)
    hanging.hang()
    both = {one.name: one for one in (hanging, provider)}
    async with asyncio.timeout(10), refreshing(connections, both):
        await hanging.asked.wait()
        await provider.refreshed_thrice.wait()
        assert not hanging.answers.is_set()
        hanging.answers.set()


async def test_the_end_waits_for_what_is_under_way(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    provider.lifetime = timedelta(seconds=1)
    await link(connections, provider)
    provider.hang()
    provider.delay = 0.1
    async with refreshing(connections, {provider.name: provider}):
        await provider.asked.wait()
        provider.answers.set()
    assert await tokens(sessions, keys) == [("access-2", "refresh-2")]
