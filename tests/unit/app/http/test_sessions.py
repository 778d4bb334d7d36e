from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

import pytest
from itsdangerous import TimestampSigner

from app.http.sessions import DAY, LIFETIME, MAX_NOTICE, MAX_NOTICES, Notice, Session, cookie_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.app.browsing import Browser


COOKIE = "__Host-dashtam-8000"


@pytest.mark.parametrize(
    ("public_url", "name"),
    [("https://localhost:8001", "__Host-dashtam-8001"), ("https://app.example", "__Host-dashtam-443")],
)
def test_apps_on_one_host_have_cookies_of_their_own(public_url: str, name: str) -> None:
    assert cookie_name(public_url) == name


def test_the_cookie(browser: Browser) -> None:
    cookie = browser.get("/").headers["Set-Cookie"]
    name, _, rest = cookie.partition("=")
    attributes = {part.strip().lower() for part in rest.split(";")[1:]}
    assert name == COOKIE
    assert attributes == {"path=/", f"max-age={LIFETIME}", "httponly", "samesite=lax", "secure"}


def test_stays_the_same(browser: Browser) -> None:
    first = browser.get("/api/session")
    again = browser.get("/api/session")
    assert first.json() == again.json()
    assert "Set-Cookie" not in again.headers


def test_everybody_has_an_own_one(new_browser: Callable[[], Browser]) -> None:
    one, other = (new_browser().get("/api/session").json() for _ in range(2))
    assert all(one[part] != other[part] for part in ("id", "owner", "csrf"))
    assert len(one["id"]) == len(one["csrf"]) == 43


def test_lasts_as_long_as_it_is_used(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    browser.get("/api/session")
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + DAY)
    assert "Set-Cookie" in browser.get("/api/session").headers
    assert "Set-Cookie" not in browser.get("/api/session").headers


@pytest.mark.parametrize("cookie", ["null", "e30=.x.y", "", "."])
def test_a_forged_cookie_makes_a_new_one(browser: Browser, cookie: str) -> None:
    before = browser.get("/api/session").json()
    browser.cookies.clear()
    response = browser.get("/api/session", headers={"Cookie": f"{COOKIE}={cookie}"})
    assert response.json()["id"] != before["id"]
    assert COOKIE in response.headers["Set-Cookie"]


def test_another_key_s_cookie_makes_a_new_one(browser: Browser) -> None:
    forged = TimestampSigner("another key").sign(b"eyJpZCI6ICJmb3JnZWQifQ==").decode()
    assert browser.get("/api/session", headers={"Cookie": f"{COOKIE}={forged}"}).json()["id"] != "forged"


def test_notices_are_told_once_and_fit_into_a_cookie() -> None:
    content: dict[str, object] = {}
    session = Session(content)
    assert session.is_new
    for number in range(MAX_NOTICES + 2):
        session.notify(str(number))
    session.notify("x" * 1000, "bad")
    assert Session(content).notices() == [Notice("3", "good"), Notice("4", "good"), Notice("x" * MAX_NOTICE, "bad")]
    assert Session(content).notices() == []


def test_the_owner_is_a_person(browser: Browser) -> None:
    assert uuid.UUID(browser.get("/api/session").json()["owner"]).version == 4
