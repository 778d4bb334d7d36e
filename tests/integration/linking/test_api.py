"""The API in this process, on this worker's own database and cache: each route, and each way in which it refuses."""

from __future__ import annotations

import asyncio
import json
import uuid
from contextlib import AsyncExitStack, nullcontext
from http import HTTPStatus
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr

from app.callback.delivery import PATH
from app.http import ratelimit
from app.http.middleware import BODY_LIMIT
from app.http.ratelimit import WINDOW
from app.linking.dependencies import UNKNOWN_STATES_PER_MINUTE
from app.main import create_app, create_internal, opened
from app.providers.errors import RefusedError, UnavailableError
from tests.integration.linking.conftest import ISSUER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis.asyncio import Redis
    from starlette.types import ASGIApp, Receive, Scope, Send

    from app.core.settings import AppSettings
    from app.linking.service import Linking
    from app.main import State
    from app.providers.errors import ProviderError
    from tests.integration.linking.conftest import ProviderAtHand

API = "/api/v1"
PUBLIC = "https://localhost:8000"
"""As `linking` has it."""
PEOPLE = 200
"""As many as an address may stand for in a minute; the cache's pool has a tenth of it."""
OFFLINE = {
    "name": "sandbox",
    "title": "Sandbox",
    "kind": "oauth2",
    "authorization_endpoint": f"{ISSUER}/auth",
    "token_endpoint": f"{ISSUER}/token",
    "client_id": "dashtam",
    "client_secret": "secret",
}
"""A provider that needs not be asked before a link starts."""
NOBODYS = uuid.UUID(int=7)
PROBLEM = "urn:dashtam:problem:"


@pytest.fixture
def started(settings: AppSettings, linking: Linking, cache: Redis) -> tuple[AppSettings, State]:
    """What the service's two apps are made of, without a database to migrate."""
    state = {"linking": linking, "cache": cache}
    return settings.model_copy(update={"public_url": PUBLIC}), cast("State", state)


@pytest.fixture
def service(started: tuple[AppSettings, State]) -> ASGIApp:
    """What is published."""
    return running(create_app(started[0], lambda _: nullcontext(started[1])), started[1])


def running(app: ASGIApp, state: State) -> ASGIApp:
    """Hand an app the state that its server would."""

    async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": dict(state)}, receive, send)

    return with_state


@pytest.fixture
async def callback(started: tuple[AppSettings, State]) -> AsyncIterator[httpx2.AsyncClient]:
    """The callback server, as the service sees it."""
    transport = httpx2.ASGITransport(running(create_internal(lambda _: nullcontext(started[1])), started[1]))
    async with httpx2.AsyncClient(transport=transport, base_url="https://app:9000") as client:
        yield client


@pytest.fixture
async def person(service: ASGIApp) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody with a session, whose requests repeat its token."""
    transport = httpx2.ASGITransport(service)
    async with httpx2.AsyncClient(transport=transport, base_url=PUBLIC) as client:
        session = (await client.get(f"{API}/session")).json()
        client.headers[session["csrf_header"]] = session["csrf_token"]
        yield client


async def state_of(person: httpx2.AsyncClient) -> str:
    """Start a link, and return its state."""
    answer = await person.post(f"{API}/providers/sandbox/connections")
    assert answer.status_code == HTTPStatus.CREATED
    url: str = answer.json()["authorization_url"]
    return parse_qs(urlsplit(url).query)["state"][0]


async def linked(person: httpx2.AsyncClient, callback: httpx2.AsyncClient) -> dict[str, Any]:
    """Link an account, and return it as the list has it."""
    redirect = {"state": await state_of(person), "code": "the-code", "iss": ISSUER}
    received = await callback.post(PATH, json=redirect)
    assert received.status_code == HTTPStatus.OK
    finished = await person.get(received.json()["continue_url"])
    assert finished.status_code == HTTPStatus.SEE_OTHER
    items: list[dict[str, Any]] = (await person.get(f"{API}/connections")).json()["items"]
    return items[0]


def kind(answer: httpx2.Response) -> str:
    """Return which problem it is."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    return str(answer.json()["type"]).removeprefix(PROBLEM)


async def test_an_account_from_beginning_to_end(
    person: httpx2.AsyncClient, callback: httpx2.AsyncClient, provider: ProviderAtHand
) -> None:
    assert (await person.get(f"{API}/providers")).json() == [{"name": "sandbox", "title": "Sandbox"}]
    item = await linked(person, callback)
    assert (item["subject"], item["status"]) == ("account-1", "active")
    place = f"{API}/connections/{item['id']}"
    assert (await person.get(place)).json() == item
    refreshed = await person.post(f"{place}/refresh")
    assert refreshed.status_code == HTTPStatus.OK
    assert refreshed.json()["updated_at"] > item["updated_at"]
    assert provider.refreshed == ["refresh-1"]
    disconnected = await person.delete(place)
    assert (disconnected.status_code, disconnected.json()) == (HTTPStatus.OK, {"revoked": True})
    assert {token for token, _ in provider.revoked} == {"refresh-2", "access-2"}
    assert (await person.get(f"{API}/connections")).json() == {"items": [], "next": None}


async def test_each_outcome_is_counted_once(person: httpx2.AsyncClient, callback: httpx2.AsyncClient) -> None:
    outcomes = ("started", "linked", "refreshed", "disconnected", "unknown-connection")

    def counts() -> list[float]:
        name = "dashtam_linking_outcomes_total"
        return [REGISTRY.get_sample_value(name, {"outcome": outcome}) or 0 for outcome in outcomes]

    before = counts()
    item = await linked(person, callback)
    await person.post(f"{API}/connections/{item['id']}/refresh")
    await person.delete(f"{API}/connections/{item['id']}")
    await person.delete(f"{API}/connections/{item['id']}")
    assert [after - start for after, start in zip(counts(), before, strict=True)] == [1] * len(outcomes)


async def test_no_answer_holds_a_token(person: httpx2.AsyncClient, callback: httpx2.AsyncClient) -> None:
    item = await linked(person, callback)
    place = f"{API}/connections/{item['id']}"
    answers = [await person.get(f"{API}/connections"), await person.get(place), await person.post(f"{place}/refresh")]
    assert all(word not in answer.text for answer in answers for word in ("access-", "refresh-", "token"))


async def test_accounts_come_in_pages(
    person: httpx2.AsyncClient, callback: httpx2.AsyncClient, provider: ProviderAtHand
) -> None:
    for number in range(3):
        provider.subject = f"account-{number}"
        await linked(person, callback)
    first = (await person.get(f"{API}/connections", params={"limit": 2})).json()
    rest = (await person.get(f"{API}/connections", params={"limit": 2, "after": first["next"]})).json()
    assert [item["subject"] for item in first["items"] + rest["items"]] == ["account-2", "account-1", "account-0"]
    assert rest["next"] is None


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"after": "nowhere"}])
async def test_a_page_that_cannot_be(person: httpx2.AsyncClient, query: dict[str, str | int]) -> None:
    answer = await person.get(f"{API}/connections", params=query)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/connections/{id}"),
        ("POST", "/connections/{id}/refresh"),
        ("DELETE", "/connections/{id}"),
    ],
)
async def test_somebody_elses_account_is_none(
    person: httpx2.AsyncClient, callback: httpx2.AsyncClient, service: ASGIApp, method: str, path: str
) -> None:
    mine = (await linked(person, callback))["id"]
    transport = httpx2.ASGITransport(service)
    async with httpx2.AsyncClient(transport=transport, base_url=PUBLIC) as stranger:
        session = (await stranger.get(f"{API}/session")).json()
        headers = {session["csrf_header"]: session["csrf_token"]}
        answers = [
            await stranger.request(method, f"{API}{path.format(id=connection)}", headers=headers)
            for connection in (mine, NOBODYS)
        ]
    for answer in answers:
        assert (answer.status_code, kind(answer)) == (HTTPStatus.NOT_FOUND, "unknown-connection")
    assert (await person.get(f"{API}/connections/{mine}")).status_code == HTTPStatus.OK


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/providers/sandbox/connections"),
        ("POST", f"/connections/{NOBODYS}/refresh"),
        ("DELETE", f"/connections/{NOBODYS}"),
    ],
)
@pytest.mark.parametrize("token", [None, "", "x", "y" * 43])
async def test_a_change_needs_the_sessions_token(
    person: httpx2.AsyncClient, method: str, path: str, token: str | None
) -> None:
    del person.headers["X-CSRF-Token"]
    headers = {} if token is None else {"X-CSRF-Token": token}
    assert (await person.request(method, f"{API}{path}", headers=headers)).status_code == HTTPStatus.FORBIDDEN


async def test_a_provider_that_there_is_not(person: httpx2.AsyncClient) -> None:
    answer = await person.post(f"{API}/providers/nobody/connections")
    assert (answer.status_code, kind(answer)) == (HTTPStatus.NOT_FOUND, "unknown-provider")


@pytest.mark.parametrize(
    ("failure", "problem"),
    [(UnavailableError("it sleeps"), "provider-unavailable"), (RefusedError("invalid_grant", "gone"), "refused")],
)
@pytest.mark.parametrize("step", ["start", "refresh", "disconnect"])
async def test_a_provider_that_fails(
    person: httpx2.AsyncClient,
    callback: httpx2.AsyncClient,
    provider: ProviderAtHand,
    failure: ProviderError,
    problem: str,
    step: str,
) -> None:
    place = f"{API}/connections/{(await linked(person, callback))['id']}"
    provider.failure = failure
    if step == "start":
        answer = await person.post(f"{API}/providers/sandbox/connections")
    elif step == "refresh":
        answer = await person.post(f"{place}/refresh")
    else:
        answer = await person.delete(place)
        if problem == "refused":  # nobody can be kept linked by that
            assert (answer.status_code, answer.json()) == (HTTPStatus.OK, {"revoked": False})
            return
    ended = step == "refresh" and problem == "refused"
    expected = "not-refreshable" if ended else problem.replace("refused", "provider-refused")
    assert kind(answer) == expected
    assert answer.status_code == (HTTPStatus.CONFLICT if ended else HTTPStatus.BAD_GATEWAY)
    assert (await person.get(place)).status_code == HTTPStatus.OK


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"state": "never-given"}, "unknown-state"),
        ({"iss": "https://elsewhere.example"}, "wrong-issuer"),
        ({"iss": None}, "wrong-issuer"),
        ({"code": None, "error": "access_denied"}, "denied"),
        ({"code": None, "error": "server_error"}, "provider-unavailable"),
        ({"code": None, "error": "invalid_scope"}, "provider-refused"),
    ],
)
async def test_an_answer_that_is_not_accepted(
    person: httpx2.AsyncClient,
    callback: httpx2.AsyncClient,
    provider: ProviderAtHand,
    change: dict[str, str | None],
    problem: str,
) -> None:
    redirect = {"state": await state_of(person), "code": "the-code", "iss": ISSUER, **change}
    redirect = {name: value for name, value in redirect.items() if value is not None}
    answer = await callback.post(PATH, json=redirect)
    status = HTTPStatus.BAD_GATEWAY if problem.startswith("provider-") else HTTPStatus.BAD_REQUEST
    assert (answer.status_code, kind(answer)) == (status, problem)
    assert provider.exchanged == []
    assert (await person.get(f"{API}/connections")).json()["items"] == []


@pytest.mark.parametrize(
    "redirect",
    [
        {},
        {"code": "hush"},
        {"state": "hush"},
        {"state": "", "code": "hush"},
        {"state": "hush", "code": ""},
        {"state": "hush", "code": "hush", "error": "hush"},
        {"state": "hush", "code": "hush", "more": "hush"},
        {"state": "hush", "code": "hush" * 1025},
        {"state": "hush" * 129, "code": "hush"},
    ],
)
async def test_a_malformed_answer_is_refused_and_not_repeated(
    callback: httpx2.AsyncClient, redirect: dict[str, str]
) -> None:
    answer = await callback.post(PATH, json=redirect)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "hush" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        rb'{"state": "\ud800", "code": "c"}',
        rb'{"state": "s", "code": "\udfff"}',
        rb'{"state": "s", "error": "e", "error_description": "\ud800"}',
        rb'{"state": "s", "code": "c", "iss": "\ud800"}',
        rb'{"state": "s", "code": "c", "\ud800": "x"}',
        rb'"\ud800"',
        rb'{"state": "s", "code": "c", "iss": ["\ud800"]}',
    ],
)
async def test_half_a_character_is_no_text(callback: httpx2.AsyncClient, body: bytes) -> None:
    answer = await callback.post(PATH, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, kind(answer)) == (HTTPStatus.UNPROCESSABLE_ENTITY, "about:blank")
    assert [fault["reason"] for fault in answer.json()["faults"]] == ["Value error, this is no Unicode text"]


async def test_an_answer_counts_once(person: httpx2.AsyncClient, callback: httpx2.AsyncClient) -> None:
    redirect = {"state": await state_of(person), "code": "the-code", "iss": ISSUER}
    answers = [await callback.post(PATH, json=redirect) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [HTTPStatus.OK, HTTPStatus.BAD_REQUEST]
    assert kind(answers[1]) == "unknown-state"


async def test_starting_is_limited(person: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "time", SimpleNamespace(time=lambda: WINDOW * 1000.0))
    codes = [(await person.post(f"{API}/providers/sandbox/connections")).status_code for _ in range(21)]
    assert codes == [HTTPStatus.CREATED] * 20 + [HTTPStatus.TOO_MANY_REQUESTS]


@pytest.mark.parametrize(("method", "path"), [("POST", "/refresh"), ("DELETE", "")])
async def test_changes_are_limited(
    person: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    monkeypatch.setattr(ratelimit, "time", SimpleNamespace(time=lambda: WINDOW * 1000.0))
    answers = [await person.request(method, f"{API}/connections/{NOBODYS}{path}") for _ in range(31)]
    assert [answer.status_code for answer in answers] == [HTTPStatus.NOT_FOUND] * 30 + [HTTPStatus.TOO_MANY_REQUESTS]
    assert answers[-1].headers["Retry-After"] == str(WINDOW)


async def test_an_account_can_be_forgotten_while_its_provider_is_down(
    person: httpx2.AsyncClient, callback: httpx2.AsyncClient, provider: ProviderAtHand
) -> None:
    place = f"{API}/connections/{(await linked(person, callback))['id']}"
    provider.failure = UnavailableError("it sleeps")
    assert kind(await person.delete(place)) == "provider-unavailable"
    answer = await person.delete(place, params={"forget": True})
    assert (answer.status_code, answer.json()) == (HTTPStatus.OK, {"revoked": False})
    assert (await person.get(place)).status_code == HTTPStatus.NOT_FOUND


async def test_made_up_answers_are_limited_and_keep_nobody_out(
    person: httpx2.AsyncClient, callback: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ratelimit, "time", SimpleNamespace(time=lambda: WINDOW * 1000.0))
    made_up = {"state": "never-given", "code": "c"}
    answers = [await callback.post(PATH, json=made_up) for _ in range(UNKNOWN_STATES_PER_MINUTE + 1)]
    codes = [answer.status_code for answer in answers]
    assert codes == [HTTPStatus.BAD_REQUEST] * UNKNOWN_STATES_PER_MINUTE + [HTTPStatus.TOO_MANY_REQUESTS]
    assert answers[-1].headers["Retry-After"] == str(WINDOW)
    assert (await linked(person, callback))["status"] == "active"


async def test_what_is_published_takes_no_answer(person: httpx2.AsyncClient) -> None:
    redirect = {"state": await state_of(person), "code": "the-code", "iss": ISSUER}
    assert (await person.post(PATH, json=redirect)).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("told", [True, False])
async def test_an_answer_that_is_too_large_is_not_read(callback: httpx2.AsyncClient, *, told: bool) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(1000):
            read += 1024
            yield b" " * 1024

    headers = {"Content-Type": "application/json", **({"Content-Length": str(1000 * 1024)} if told else {})}
    answer = await callback.post(PATH, content=body(), headers=headers)
    assert (answer.status_code, kind(answer)) == (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "about:blank")
    assert read <= (1024 if told else BODY_LIMIT + 2 * 1024)


async def test_a_part_that_is_not_available(
    person: httpx2.AsyncClient, linking: Linking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object, **__: object) -> None:
        raise ConnectionRefusedError("hush")

    monkeypatch.setattr(linking, "connections", gone)
    answer = await person.get(f"{API}/connections")
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert answer.headers["Retry-After"] == "5"
    assert "hush" not in answer.text


async def test_many_who_start_at_once_are_all_served(own_settings: AppSettings) -> None:
    changes = {"public_url": PUBLIC, "providers": SecretStr(json.dumps([OFFLINE]))}
    settings = own_settings.model_copy(update=changes)
    async with opened(settings) as state, AsyncExitStack() as leaving:
        transport = httpx2.ASGITransport(running(create_app(settings, lambda _: nullcontext(state)), state))
        clients = [httpx2.AsyncClient(transport=transport, base_url=PUBLIC) for _ in range(PEOPLE)]
        for client in clients:
            await leaving.enter_async_context(client)
        answers = await asyncio.gather(*(begin(client) for client in clients))
    assert {one.status_code for one in answers} == {HTTPStatus.CREATED}


async def begin(client: httpx2.AsyncClient) -> httpx2.Response:
    assert (await client.get("/")).status_code == HTTPStatus.OK
    session = (await client.get(f"{API}/session")).json()
    proof = {session["csrf_header"]: session["csrf_token"]}
    return await client.post(f"{API}/providers/sandbox/connections", headers=proof)
