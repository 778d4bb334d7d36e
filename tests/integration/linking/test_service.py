from __future__ import annotations

import asyncio
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from app.linking import errors
from app.linking.authorizations import PENDING_LIFETIME, RECEIPT_LIFETIME, Pending, Receipt
from app.linking.schemas import Redirect
from app.providers.errors import InvalidIdTokenError, ProviderError, RefusedError, UnavailableError
from tests.integration.linking.conftest import ISSUER, OWNER, SESSION, STRANGER, ProviderAtHand

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from app.linking.schemas import ConnectionInfo
    from app.linking.service import Linking


def _query(url: str, name: str) -> str:
    [value] = parse_qs(urlsplit(url).query)[name]
    return value


async def _start(linking: Linking) -> str:
    return _query(await linking.start("sandbox", owner=OWNER, session=SESSION), "state")


def _answer(state: str, **changes: str | None) -> Redirect:
    given = {"state": state, "code": "the-code", "iss": ISSUER, **changes}
    return Redirect.model_validate({name: value for name, value in given.items() if value is not None})


async def _receive(linking: Linking) -> str:
    return _query(await linking.receive(_answer(await _start(linking))), "receipt")


async def link_for(linking: Linking, owner: uuid.UUID) -> uuid.UUID:
    """Link an account for somebody, and return its id."""
    state = _query(await linking.start("sandbox", owner=owner, session=SESSION), "state")
    receipt = _query(await linking.receive(_answer(state)), "receipt")
    return (await linking.finish(receipt, session=SESSION)).id


async def _link(linking: Linking) -> ConnectionInfo:
    return await linking.finish(await _receive(linking), session=SESSION)


async def test_an_account_is_linked(linking: Linking, provider: ProviderAtHand) -> None:
    linked = await _link(linking)
    assert (linked.provider, linked.title, linked.subject, linked.status) == (
        "sandbox",
        "Sandbox",
        "account-1",
        "active",
    )
    assert provider.exchanged == ["the-code"]
    assert (await linking.connections(OWNER)).items == [linked]
    assert await linking.connection(OWNER, linked.id) == linked
    assert [one.name for one in linking.providers()] == ["sandbox"]


async def test_the_browser_goes_on_at_the_app(linking: Linking) -> None:
    url = await linking.receive(_answer(await _start(linking)))
    assert url.startswith("https://localhost:8000/finish?receipt=")


async def test_an_account_that_is_linked_again_stays_one(linking: Linking, provider: ProviderAtHand) -> None:
    first = await _link(linking)
    second = await _link(linking)
    assert second.id == first.id
    provider.subject = "account-2"
    third = await _link(linking)
    assert [one.id for one in (await linking.connections(OWNER)).items] == [third.id, first.id]


async def test_one_account_is_linked_once_by_two_at_the_same_time(linking: Linking) -> None:
    receipts = [await _receive(linking) for _ in range(5)]
    linked = await asyncio.gather(*(linking.finish(one, session=SESSION) for one in receipts))
    assert len({one.id for one in linked}) == 1


async def test_a_stranger_sees_and_changes_nothing(linking: Linking) -> None:
    linked = await _link(linking)
    assert (await linking.connections(STRANGER)).items == []
    for act in (linking.connection, linking.refresh, linking.disconnect):
        with pytest.raises(errors.UnknownConnectionError):
            await act(STRANGER, linked.id)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 50])
async def test_pages_hold_each_connection_once(linking: Linking, provider: ProviderAtHand, size: int) -> None:
    made = []
    for number in range(5):
        provider.subject = f"account-{number}"
        made.append((await _link(linking)).id)
    seen, after = [], None
    while True:
        page = await linking.connections(OWNER, limit=size, after=after)
        assert len(page.items) <= size
        seen += [one.id for one in page.items]
        after = page.next
        if after is None:
            break
    assert seen == made[::-1]


async def test_an_unknown_provider_is_refused(linking: Linking) -> None:
    with pytest.raises(errors.UnknownProviderError):
        await linking.start("another", owner=OWNER, session=SESSION)


async def test_a_state_is_taken_once(linking: Linking) -> None:
    state = await _start(linking)
    await linking.receive(_answer(state))
    with pytest.raises(errors.UnknownStateError):
        await linking.receive(_answer(state))


@pytest.mark.parametrize("mode", ["query", "form_post"])
async def test_a_provider_that_answers_with_forms_links(linking: Linking, provider: ProviderAtHand, mode: str) -> None:
    provider.accepts_forms = True
    answer = _answer(await _start(linking), response_mode=mode)
    receipt = _query(await linking.receive(answer), "receipt")
    assert (await linking.finish(receipt, session=SESSION)).subject == "account-1"
    with pytest.raises(errors.UnknownStateError):
        await linking.receive(answer)


async def test_a_form_of_another_provider_is_refused_and_spends_the_state(
    linking: Linking, provider: ProviderAtHand
) -> None:
    state = await _start(linking)
    with pytest.raises(errors.WrongResponseModeError, match="set response_mode: form_post for it"):
        await linking.receive(_answer(state, response_mode="form_post"))
    with pytest.raises(errors.UnknownStateError):
        await linking.receive(_answer(state))
    assert provider.exchanged == []


async def test_a_state_is_taken_by_one_of_many(linking: Linking) -> None:
    state = await _start(linking)
    results = await asyncio.gather(*(linking.receive(_answer(state)) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(one, str) for one in results) == 1
    assert sum(isinstance(one, errors.UnknownStateError) for one in results) == 9


@pytest.mark.parametrize("state", ["unheard-of", "\x00", "../pending", "*", "a" * 512, "ü"])
async def test_a_state_that_was_never_started_is_refused(linking: Linking, state: str) -> None:
    await _start(linking)
    with pytest.raises(errors.UnknownStateError):
        await linking.receive(_answer(state))


async def test_a_state_ends(linking: Linking, cache: Redis) -> None:
    state = await _start(linking)
    [key] = await cache.keys("dashtam:pending:*")
    assert 0 < await cache.ttl(key) <= PENDING_LIFETIME
    await cache.pexpire(key, 0)
    with pytest.raises(errors.UnknownStateError):
        await linking.receive(_answer(state))


async def test_what_is_kept_can_not_be_used_by_who_reads_it(linking: Linking, cache: Redis) -> None:
    state = await _start(linking)
    [pending] = await cache.keys("*")
    kept = f"{pending!r} {await cache.get(pending)!r}"
    receipt = _query(await linking.receive(_answer(state)), "receipt")
    [key] = await cache.keys("*")
    assert await cache.ttl(key) <= RECEIPT_LIFETIME
    kept += f"{key!r} {await cache.get(key)!r}"
    assert [secret for secret in (state, receipt, SESSION) if secret in kept] == []


async def test_what_can_not_be_read_shows_nothing(linking: Linking, cache: Redis) -> None:
    state = await _start(linking)
    [key] = await cache.keys("*")
    await cache.set(key, b'{"verifier": 1, "nonce": "hush"}')
    with pytest.raises(ValidationError) as raised:
        await linking.receive(_answer(state))
    assert "hush" not in str(raised.value)
    pending = Pending(provider="p", owner="o", session="s", verifier="hush", nonce="hush")
    assert "hush" not in repr(Receipt(pending=pending, code="hush"))


@pytest.mark.parametrize("issuer", [None, "", f"{ISSUER}/", ISSUER.upper(), "https://another.example"])
async def test_another_issuer_is_refused(linking: Linking, provider: ProviderAtHand, issuer: str | None) -> None:
    state = await _start(linking)
    with pytest.raises(errors.WrongIssuerError):
        await linking.receive(_answer(state, iss=issuer))
    with pytest.raises(errors.UnknownStateError):
        await linking.receive(_answer(state))
    assert provider.exchanged == []


@pytest.mark.parametrize(("path", "accepted"), [("/own", True), ("/", False), ("/another", False)])
async def test_a_provider_with_a_path_of_its_own_answers_there_alone(
    linking: Linking, provider: ProviderAtHand, path: str, accepted: bool
) -> None:
    provider._own_path = "/own"
    answer = _answer(await _start(linking), path=path)
    if accepted:
        assert "receipt=" in await linking.receive(answer)
    else:
        with pytest.raises(errors.WrongIssuerError):
            await linking.receive(answer)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("access_denied", errors.DeniedError),
        ("server_error", errors.ProviderUnavailableError),
        ("temporarily_unavailable", errors.ProviderUnavailableError),
        ("invalid_request", errors.ProviderRefusedError),
        ("invalid_scope", errors.ProviderRefusedError),
        ("unauthorized_client", errors.ProviderRefusedError),
        ("unsupported_response_type", errors.ProviderRefusedError),
        ("consent_required", errors.ProviderRefusedError),
        ("ACCESS_DENIED", errors.ProviderRefusedError),
        ("<script>alert(1)</script>", errors.ProviderRefusedError),
    ],
)
@pytest.mark.parametrize("description", [None, "Words of its own"])
async def test_an_error_is_told_as_what_it_is(
    linking: Linking, error: str, kind: type[errors.LinkingError], description: str | None
) -> None:
    state = await _start(linking)
    with pytest.raises(kind) as raised:
        await linking.receive(_answer(state, code=None, error=error, error_description=description))
    assert raised.value.detail == (f"{error}: {description}" if description else error)
    denied = kind is errors.DeniedError
    assert raised.value.status == (HTTPStatus.BAD_REQUEST if denied else HTTPStatus.BAD_GATEWAY)


async def test_a_receipt_is_taken_once(linking: Linking) -> None:
    receipt = await _receive(linking)
    await linking.finish(receipt, session=SESSION)
    with pytest.raises(errors.UnknownReceiptError):
        await linking.finish(receipt, session=SESSION)


async def test_another_browser_is_refused_and_spoils_the_receipt(linking: Linking, provider: ProviderAtHand) -> None:
    receipt = await _receive(linking)
    with pytest.raises(errors.WrongSessionError):
        await linking.finish(receipt, session="another-session")
    with pytest.raises(errors.UnknownReceiptError):
        await linking.finish(receipt, session=SESSION)
    assert provider.exchanged == []


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (UnavailableError("it can't be reached"), errors.ProviderUnavailableError),
        (RefusedError("invalid_grant", "code was used"), errors.ProviderRefusedError),
        (InvalidIdTokenError("the nonce is another"), errors.InvalidTokenError),
    ],
)
async def test_a_provider_that_fails_links_nothing(
    linking: Linking, provider: ProviderAtHand, failure: ProviderError, kind: type[errors.LinkingError]
) -> None:
    receipt = await _receive(linking)
    provider.failure = failure
    with pytest.raises(kind) as raised:
        await linking.finish(receipt, session=SESSION)
    assert str(failure) in raised.value.detail
    assert raised.value.status == HTTPStatus.BAD_GATEWAY
    assert (await linking.connections(OWNER)).items == []


async def test_a_provider_that_is_down_starts_nothing(linking: Linking, provider: ProviderAtHand, cache: Redis) -> None:
    provider.failure = UnavailableError("it can't be reached")
    with pytest.raises(errors.ProviderUnavailableError):
        await linking.start("sandbox", owner=OWNER, session=SESSION)
    assert await cache.keys("*") == []


async def test_a_disconnected_account_is_revoked_and_forgotten(linking: Linking, provider: ProviderAtHand) -> None:
    linked = await _link(linking)
    assert await linking.disconnect(OWNER, linked.id)
    assert provider.revoked == [("refresh-1", "refresh_token"), ("access-1", "access_token")]
    assert (await linking.connections(OWNER)).items == []
    with pytest.raises(errors.UnknownConnectionError):
        await linking.disconnect(OWNER, linked.id)


async def test_an_account_that_could_not_be_revoked_stays(linking: Linking, provider: ProviderAtHand) -> None:
    linked = await _link(linking)
    provider.failure = UnavailableError("it can't be reached")
    with pytest.raises(errors.ProviderUnavailableError):
        await linking.disconnect(OWNER, linked.id)
    assert [one.id for one in (await linking.connections(OWNER)).items] == [linked.id]


async def test_an_account_that_could_not_be_revoked_can_be_forgotten(
    linking: Linking, provider: ProviderAtHand
) -> None:
    linked = await _link(linking)
    provider.failure = UnavailableError("it can't be reached")
    assert not await linking.disconnect(OWNER, linked.id, forget=True)
    assert (await linking.connections(OWNER)).items == []


async def test_what_can_be_revoked_is_revoked_before_it_is_forgotten(
    linking: Linking, provider: ProviderAtHand
) -> None:
    linked = await _link(linking)
    assert await linking.disconnect(OWNER, linked.id, forget=True)
    assert provider.revoked == [("refresh-1", "refresh_token"), ("access-1", "access_token")]


async def test_a_connection_without_its_provider_can_be_seen_and_forgotten(
    linking: Linking, provider: ProviderAtHand
) -> None:
    linked = await _link(linking)
    without = type(linking)({}, linking._connections, linking._pending._redis, "https://localhost:8000")
    assert (await without.connection(OWNER, linked.id)).title == "sandbox"
    with pytest.raises(errors.UnknownProviderError):
        await without.refresh(OWNER, linked.id)
    assert not await without.disconnect(OWNER, linked.id)
    assert provider.revoked == []
    assert (await linking.connections(OWNER)).items == []


async def test_an_unknown_connection_is_refused(linking: Linking) -> None:
    with pytest.raises(errors.UnknownConnectionError):
        await linking.connection(OWNER, uuid.UUID(int=7))
