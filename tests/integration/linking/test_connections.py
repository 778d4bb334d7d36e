from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import async_sessionmaker

from app.core.models import ConnectionStatus, ProviderConnection
from app.linking import claims, errors
from app.linking.connections import Connections
from app.linking.repository import Repository
from app.providers.errors import RefusedError, UnavailableError
from app.tokens.keys import DataKeys
from tests.integration.linking.conftest import CHALLENGE, OWNER, STRANGER, ProviderAtHand, change, link, tokens

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

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
    connections: Connections,
    elsewhere: Connections,
    provider: ProviderAtHand,
    sessions: Sessions,
    keys: DataKeys,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = await link(connections, provider)
    provider.hang_until_another_waits(monkeypatch)
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
    connections: Connections, elsewhere: Connections, provider: ProviderAtHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await link(connections, provider)
    provider.failure = RefusedError("invalid_grant")
    provider.hang_until_another_waits(monkeypatch)
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


class Outage:
    """Keeps a method of the repository from its work a number of times, as a database that can't be reached does.

    Where it is `late`, the work is done, and only its answer is lost.
    """

    def __init__(self, method: Callable[..., Awaitable[object]], times: int, *, late: bool = False) -> None:
        self._method, self.left, self._late = method, times, late

    async def __call__(self, *args: object) -> object:
        if self.left:
            self.left -= 1
            if self._late:
                await self._method(*args)
            raise PoolTimeoutError
        return await self._method(*args)


@pytest.fixture
def outage(connections: Connections, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], Outage]:
    monkeypatch.setattr(claims, "STORE_RETRY_SECONDS", 0.01)

    def of(method: str, times: int, *, late: bool = False) -> Outage:
        made = Outage(getattr(connections.repository, method), times, late=late)
        monkeypatch.setattr(connections.repository, method, made)
        return made

    return of


async def test_what_a_refresh_gave_is_stored_once_the_database_is_back(
    connections: Connections,
    provider: ProviderAtHand,
    sessions: Sessions,
    keys: DataKeys,
    outage: Callable[[str, int], Outage],
) -> None:
    row = await link(connections, provider)
    assert outage("renew", 5).left == 5
    await connections.refresh(OWNER, row.id, provider)
    assert provider.refreshed == ["refresh-1"]
    assert await tokens(sessions, keys) == [("access-2", "refresh-2")]


async def test_what_a_link_gave_is_stored_once_the_database_is_back(
    connections: Connections,
    provider: ProviderAtHand,
    sessions: Sessions,
    keys: DataKeys,
    outage: Callable[[str, int], Outage],
) -> None:
    assert outage("link", 5).left == 5
    await connections.link(OWNER, provider, "code", CHALLENGE)
    assert (provider.exchanged, provider.revoked) == (["code"], [])
    assert await tokens(sessions, keys) == [("access-1", "refresh-1")]


@pytest.mark.parametrize("method", ["link", "renew"])
async def test_what_is_stored_already_is_not_revoked_where_that_answer_was_lost(
    connections: Connections,
    provider: ProviderAtHand,
    sessions: Sessions,
    keys: DataKeys,
    outage: Callable[..., Outage],
    method: str,
) -> None:
    if method == "renew":
        row = await link(connections, provider)
    outage(method, 1, late=True)
    if method == "renew":
        await connections.refresh(OWNER, row.id, provider)
    else:
        await connections.link(OWNER, provider, "code", CHALLENGE)
    number = 2 if method == "renew" else 1
    assert provider.revoked == []
    assert await tokens(sessions, keys) == [(f"access-{number}", f"refresh-{number}")]


async def test_what_can_never_be_stored_is_revoked(
    connections: Connections,
    provider: ProviderAtHand,
    outage: Callable[[str, int], Outage],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(claims, "LEASE", timedelta(seconds=0.1))
    outage("link", 10**6)
    with pytest.raises(PoolTimeoutError):
        await connections.link(OWNER, provider, "code", CHALLENGE)
    assert provider.revoked == [("refresh-1", "refresh_token"), ("access-1", "access_token")]


async def test_a_link_runs_to_its_end_though_its_caller_is_gone(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    provider.codes_wait = asyncio.Event()
    asking = asyncio.create_task(connections.link(OWNER, provider, "code", CHALLENGE))
    await provider.asked.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    provider.codes_wait.set()
    await connections.settle()
    assert await tokens(sessions, keys) == [("access-1", "refresh-1")]


async def test_what_a_new_link_replaces_is_revoked(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    first = await connections.link(OWNER, provider, "code", CHALLENGE)
    assert provider.revoked == []
    assert (await connections.link(OWNER, provider, "code", CHALLENGE)).id == first.id
    assert provider.revoked == [("refresh-1", "refresh_token"), ("access-1", "access_token")]
    assert await tokens(sessions, keys) == [("access-2", "refresh-2")]


async def test_a_provider_that_would_end_the_new_link_too_is_not_asked_to_revoke_the_old(
    connections: Connections, provider: ProviderAtHand
) -> None:
    provider.revokes_replaced = False
    for _ in range(2):
        await connections.link(OWNER, provider, "code", CHALLENGE)
    assert provider.revoked == []


async def test_tokens_that_are_given_again_are_not_revoked(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    await connections.link(OWNER, provider, "code", CHALLENGE)
    provider.given = 0
    await connections.link(OWNER, provider, "code", CHALLENGE)
    assert provider.revoked == []
    assert await tokens(sessions, keys) == [("access-1", "refresh-1")]


async def test_a_link_stays_though_the_old_one_can_not_be_revoked(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    await connections.link(OWNER, provider, "code", CHALLENGE)
    provider.revocation_failure = UnavailableError("down")
    await connections.link(OWNER, provider, "code", CHALLENGE)
    assert await tokens(sessions, keys) == [("access-2", "refresh-2")]


async def test_what_a_refresh_gives_after_a_new_link_is_revoked(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    row = await link(connections, provider)
    asking = await provider.hanging(connections.refresh(OWNER, row.id, provider))
    await link(connections, provider)
    provider.answers.set()
    await asking
    assert await tokens(sessions, keys) == [("access-2", "refresh-2")]
    assert provider.revoked == [("refresh-3", "refresh_token"), ("access-3", "access_token")]


async def test_a_link_made_right_after_a_claim_is_the_one_that_is_refreshed(
    connections: Connections,
    provider: ProviderAtHand,
    sessions: Sessions,
    keys: DataKeys,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = await link(connections, provider)
    read = connections.repository.open

    async def read_after_a_link(claimed: ProviderConnection) -> object:
        await link(connections, provider)
        return await read(claimed)

    monkeypatch.setattr(connections.repository, "open", read_after_a_link)
    await connections.refresh(OWNER, row.id, provider)
    assert (provider.refreshed, provider.revoked) == (["refresh-2"], [])
    assert await tokens(sessions, keys) == [("access-3", "refresh-3")]


async def test_tokens_are_shown_to_nobody_but_their_issuer(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions, keys: DataKeys
) -> None:
    row = await link(connections, provider)
    provider.issuer = "https://another.example"
    with pytest.raises(errors.NotRefreshableError, match="linked at another provider"):
        await connections.refresh(OWNER, row.id, provider)
    await connections.link(OWNER, provider, "code", CHALLENGE)
    assert (provider.refreshed, provider.revoked) == ([], [])
    assert await tokens(sessions, keys) == [("access-2", "refresh-2")]
    await connections.refresh(OWNER, row.id, provider)
    provider.issuer = "https://issuer.example"
    assert await connections.disconnect(OWNER, row.id, provider) is False
    assert provider.revoked == []


async def test_an_older_row_is_bound_at_its_next_refresh(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions
) -> None:
    row = await link(connections, provider)
    await change(sessions, issuer=None)
    assert (await connections.refresh(OWNER, row.id, provider)).issuer == provider.issuer


async def test_a_code_of_the_provider_s_own_ends_a_link(connections: Connections, provider: ProviderAtHand) -> None:
    provider.dead = frozenset({"unsupported_token_type"})
    row = await link(connections, provider)
    provider.failure = RefusedError("unsupported_token_type", "refresh_token_authentication_error")
    with pytest.raises(errors.NotRefreshableError):
        await connections.refresh(OWNER, row.id, provider)
    assert (await connections.repository.get(OWNER, row.id)).status is ConnectionStatus.REVOKED


async def test_any_refusal_ends_a_link_whose_time_is_over(
    connections: Connections, provider: ProviderAtHand, sessions: Sessions
) -> None:
    provider.link_lifetime = timedelta(days=7)
    row = await link(connections, provider)
    assert row.link_ends_at
    assert row.link_ends_at - datetime.now(UTC) == pytest.approx(timedelta(days=7), abs=timedelta(minutes=1))
    renewed = await connections.refresh(OWNER, row.id, provider)
    assert renewed.link_ends_at == row.link_ends_at
    provider.failure = RefusedError("access_denied")
    with pytest.raises(errors.ProviderRefusedError):
        await connections.refresh(OWNER, row.id, provider)
    await change(sessions, link_ends_at=datetime.now(UTC))
    with pytest.raises(errors.NotRefreshableError):
        await connections.refresh(OWNER, row.id, provider)


async def test_a_provider_that_asks_to_wait_is_left_alone(connections: Connections, provider: ProviderAtHand) -> None:
    row = await link(connections, provider)
    provider.failure = UnavailableError("429", 1800.0)
    with pytest.raises(errors.ProviderUnavailableError, match="Try again in 1800 s") as raised:
        await connections.refresh(OWNER, row.id, provider)
    assert raised.value.retry_after == 1800
    retry_at = (await connections.repository.get(OWNER, row.id)).retry_at
    assert retry_at
    assert retry_at - datetime.now(UTC) == pytest.approx(timedelta(minutes=30), abs=timedelta(minutes=1))
