from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from starlette.testclient import TestClient

from app.http import ratelimit
from app.http.ratelimit import PEOPLE, WINDOW
from tests.unit.app.browsing import HTML, PUBLIC

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakeredis import FakeAsyncRedis
    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send

    from tests.unit.app.browsing import Browser, FakeFlow


class Clock:
    def __init__(self) -> None:
        self.now = WINDOW * 1000 + 20.5

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(ratelimit, "time", clock)
    return clock


def statuses(browser: Browser, times: int) -> list[int]:
    return [browser.get("/api/limited").status_code for _ in range(times)]


def test_a_session_is_limited_for_a_minute(browser: Browser, clock: Clock) -> None:
    assert statuses(browser, 5) == [200, 200, 200, 429, 429]
    response = browser.get("/api/limited")
    assert response.headers["Retry-After"] == "40"
    assert response.json()["detail"] == "This was tried too often. Try again in 40 s."
    clock.now += WINDOW
    assert statuses(browser, 1) == [200]


def test_another_session_is_not(new_browser: Callable[[], Browser], clock: Clock) -> None:
    del clock
    assert statuses(new_browser(), 4)[-1] == 429
    assert statuses(new_browser(), 3) == [200, 200, 200]


def test_an_address_is_limited_whatever_its_sessions(browser: Browser, clock: Clock) -> None:
    del clock
    for _ in range(3 * PEOPLE):
        browser.cookies.clear()
        assert statuses(browser, 1) == [200]
    browser.cookies.clear()
    assert statuses(browser, 1) == [429]


async def test_counts_go_away_and_name_nobody(browser: Browser, cache: FakeAsyncRedis) -> None:
    session = browser.get("/api/session").json()["id"]
    statuses(browser, 1)
    keys = await cache.keys("*")
    assert len(keys) == 2
    for key in cast("list[bytes]", keys):
        assert key.startswith(b"dashtam:rate:test:")
        assert session.encode() not in key
        assert b"testclient" not in key
        assert 0 < await cache.ttl(key) <= WINDOW


def test_refuses_what_it_cannot_count(browser: Browser, cache: FakeAsyncRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise RedisConnectionError("rediss://user:hush@cache")

    monkeypatch.setattr(cache, "pipeline", broken)
    response = browser.get("/api/limited")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "10"
    assert "hush" not in response.text


@pytest.mark.parametrize("step", ["start", "finish", "change"])
def test_the_routes_of_the_flow_are_limited(browser: Browser, flow: FakeFlow, clock: Clock, step: str) -> None:
    del clock
    token = browser.csrf()
    path = {"start": "/connect/sandbox", "finish": "/finish", "change": f"/connections/{'0' * 32}/refresh"}[step]
    for _ in range(40):
        response = browser.request(
            "GET" if step == "finish" else "POST",
            path,
            headers=HTML,
            params={"receipt": "r"} if step == "finish" else None,
            data={"csrf_token": token} if step != "finish" else None,
        )
    assert response.status_code == 429
    assert "Too many tries" in response.text
    assert len(flow.asked("start", "finish", "refresh")) == {"start": 20, "finish": 20, "change": 30}[step]


def test_guessing_tokens_is_limited(browser: Browser, clock: Clock) -> None:
    del clock
    codes = [browser.post("/connect/sandbox", data={"csrf_token": "x"}).status_code for _ in range(21)]
    assert (codes[0], codes[-1]) == (403, 429)


def test_a_client_without_an_address_is_limited_too(web_app: FastAPI, clock: Clock) -> None:
    del clock

    async def nameless(scope: Scope, receive: Receive, send: Send) -> None:
        await web_app({**scope, "client": None}, receive, send)

    with TestClient(nameless, base_url=PUBLIC) as client:
        assert [client.get("/api/limited").status_code for _ in range(4)][-1] == 429
