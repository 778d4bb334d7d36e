"""What the sandbox refuses: it must be no laxer than the providers that the app will meet (RFC 9700)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.processes.sandbox.provider import REDIRECT, Authorization, exchange, redeem, refresh, returned

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.processes.sandbox.provider import Person, Running

    Meet = Callable[[Running], Person]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"prompt": "none"}, "login_required"),
        ({"scope": "openid", "response_mode": "nonsense"}, "unsupported_response_mode"),
    ],
)
def test_a_lax_request_goes_back_with_an_error(person: Person, change: dict[str, str | None], error: str) -> None:
    asked = Authorization()
    response = person.opens(asked, change)
    assert "code=" not in response.headers["location"]
    assert f"error={error}" in response.headers["location"]
    assert f"state={asked.state}" in response.headers["location"]


@pytest.mark.parametrize(
    "redirect",
    [
        None,
        f"{REDIRECT}/",
        f"{REDIRECT}/callback",
        f"{REDIRECT}?next=1",
        f"{REDIRECT}#part",
        REDIRECT.replace("https", "http"),
        REDIRECT.replace("127.0.0.1", "localhost"),
        REDIRECT.replace("8182", "8183"),
        REDIRECT.replace("127.0.0.1", "127.0.0.1.evil.example"),
        f"{REDIRECT}@evil.example",
        "https://evil.example",
        '"><script>alert(1)</script>',
    ],
)
def test_any_other_redirect_uri_stays_here(person: Person, redirect: str | None) -> None:
    page = person.opens(Authorization(), {"redirect_uri": redirect})
    assert page.status_code == 400
    assert "location" not in page.headers
    assert "<script" not in page.text
    assert "This can&#39;t go on" in page.text


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"redirect_uri": f"{REDIRECT}/"}, "invalid_grant"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"code": "forged"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_code_is_exchanged_by_who_asked_for_it_alone(
    running: Running, person: Person, change: dict[str, str], error: str
) -> None:
    asked = Authorization()
    refused = redeem(running, asked, person.links(asked)["code"], change)
    assert (refused.status_code, refused.json()["error"]) == (400, error)


def test_the_client_needs_its_secret(running: Running) -> None:
    refused = exchange(running, {"grant_type": "authorization_code", "code": "any"}, secret="wrong")
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def test_a_code_used_twice_takes_its_tokens_back(running: Running, person: Person) -> None:
    asked = Authorization()
    code = person.links(asked)["code"]
    token = redeem(running, asked, code).json()["refresh_token"]
    assert redeem(running, asked, code).json()["error"] == "invalid_grant"
    assert refresh(running, token).json()["error"] == "invalid_grant"


def test_a_decision_belongs_to_the_browser_that_began(running: Running, person: Person, meet: Meet) -> None:
    page = person.opens(Authorization())
    stranger = meet(running)
    refused = stranger.submits(page, "Deny")
    assert refused.status_code == 400
    assert "Go back to the application" in refused.text


@pytest.mark.parametrize(("button", "fields"), [("Log in", {"name": "ada"}), ("Deny", {})])
def test_a_decision_is_made_once(person: Person, button: str, fields: dict[str, str]) -> None:
    page = person.opens(Authorization())
    person.submits(page, button, **fields)
    again = person.submits(page, button, **fields)
    assert again.status_code == 400


def test_consent_is_not_given_by_who_has_not_logged_in(running: Running) -> None:
    with running.client(follow_redirects=True) as browser:
        page = browser.get("/auth", params=Authorization().parameters())
        refused = browser.post(f"{page.url.path}/allow")
        assert refused.status_code == 409
        assert browser.get(f"{page.url.path}/deny").status_code == 405
        assert browser.post(page.url.path).status_code == 405
        assert browser.post(f"{page.url.path}/login", content=b"name=" + b"x" * 5000).status_code == 413


def test_a_denied_authorization_gives_no_code_later(person: Person) -> None:
    asked = Authorization()
    page = person.opens(asked)
    assert returned(person.submits(page, "Deny"))["error"] == "access_denied"
    assert "Log in" in person.opens(asked).text
