"""The names under which the sandbox behaves as some providers do."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.processes.sandbox.provider import Authorization, posted, redeem, refresh, returned, revoke

if TYPE_CHECKING:
    import httpx2

    from tests.processes.sandbox.provider import Person, Running

NAMES = ("unavailable", "slow", "no-refresh", "short-lived", "revoked", "throttled", "form-post", "comma-scopes")


def linked(running: Running, person: Person, name: str) -> dict[str, Any]:
    asked = Authorization()
    page = person.opens(asked, {"prompt": "consent"})
    page = person.submits(page, "Log in", name=name) if "<h1>Log in</h1>" in page.text else page
    code = returned(person.submits(page, "Allow"))["code"]
    tokens: dict[str, Any] = redeem(running, asked, code).raise_for_status().json()
    return tokens


def refreshed(running: Running, person: Person, name: str) -> httpx2.Response:
    return refresh(running, linked(running, person, name)["refresh_token"])


def test_the_login_page_lists_each(person: Person) -> None:
    page = person.opens(Authorization()).text
    assert tuple(re.findall(r"<dt>([a-z-]+)</dt><dd>[^<]{10,}</dd>", page)) == NAMES


def test_slow(running: Running, person: Person) -> None:
    begun = time.monotonic()
    assert "refresh_token" in linked(running, person, "slow")
    assert time.monotonic() - begun >= 4


def test_no_refresh(running: Running, person: Person) -> None:
    assert "refresh_token" not in linked(running, person, "no-refresh")


def test_short_lived(running: Running, person: Person) -> None:
    tokens = linked(running, person, "short-lived")
    assert tokens["expires_in"] == 75
    assert refresh(running, tokens["refresh_token"]).json()["expires_in"] == 75


def test_revoked(running: Running, person: Person) -> None:
    answer = refreshed(running, person, "revoked")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_throttled(running: Running, person: Person) -> None:
    answer = refreshed(running, person, "throttled")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")


def test_form_post(running: Running, person: Person) -> None:
    asked = Authorization()
    page = person.submits(person.opens(asked, {"prompt": "consent"}), "Log in", name="form-post")
    back = posted(person.submits(page, "Allow"))
    assert back.keys() == {"code", "state", "iss"}
    assert back["state"] == asked.state
    assert "refresh_token" in redeem(running, asked, back["code"]).json()


def test_whoever_is_somebody_else_then_is_answered_as_usual(running: Running, person: Person) -> None:
    asked = Authorization()
    page = person.submits(person.opens(asked, {"prompt": "consent"}), "Log in", name="form-post")
    page = person.submits(person.submits(page, "Use another name"), "Log in", name="ada")
    assert redeem(running, asked, returned(person.submits(page, "Allow"))["code"]).status_code == 200


def test_anybody_is_answered_with_a_form_who_asks_for_it(running: Running, person: Person) -> None:
    asked = Authorization()
    page = person.opens(asked, {"prompt": "consent", "response_mode": "form_post"})
    back = posted(person.submits(person.submits(page, "Log in", name="ada"), "Allow"))
    assert redeem(running, asked, back["code"]).status_code == 200


def test_comma_scopes(running: Running, person: Person) -> None:
    tokens = linked(running, person, "comma-scopes")
    assert (tokens["scope"], tokens["expires_in"]) == ("openid,offline_access", "1800")
    assert "token_type" not in tokens
    assert refresh(running, tokens["refresh_token"]).json()["scope"] == "openid,offline_access"


@pytest.mark.parametrize("name", ["Slower", "revoked2", "ada"])
def test_any_other_name_is_nobody_special(running: Running, person: Person, name: str) -> None:
    tokens = linked(running, person, name)
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 1800)
    assert refresh(running, tokens["refresh_token"]).status_code == 200


def test_to_revoke_an_older_link_leaves_the_newer(running: Running, person: Person) -> None:
    tokens = [linked(running, person, "twice")["refresh_token"] for _ in range(2)]
    assert revoke(running, tokens[0]).status_code == 200
    assert refresh(running, tokens[0]).json()["error"] == "invalid_grant"
    assert refresh(running, tokens[1]).json()["scope"] == "openid offline_access"
