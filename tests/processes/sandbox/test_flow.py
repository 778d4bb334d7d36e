"""A person links an account: every step as a browser and the app take it, over verified TLS."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from tests.processes.sandbox.provider import (
    CLIENT,
    ISSUER,
    Authorization,
    claims,
    redeem,
    refresh,
    returned,
    revoke,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.processes.sandbox.provider import Person, Running

    Meet = Callable[[Running], Person]


def number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_an_account_is_linked(running: Running, person: Person) -> None:
    asked = Authorization()
    back = person.links(asked, "Ada")
    assert back.keys() == {"code", "state", "iss"}
    assert (back["state"], back["iss"]) == (asked.state, ISSUER)
    tokens = redeem(running, asked, back["code"]).json()
    assert tokens.keys() == {"access_token", "expires_in", "id_token", "refresh_token", "scope", "token_type"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 1800)
    said = claims(tokens["id_token"])
    assert (said["iss"], said["aud"], said["nonce"], said["sub"]) == (ISSUER, CLIENT, asked.nonce, "ada")


def test_the_id_token_is_signed_with_a_published_key(running: Running, person: Person) -> None:
    asked = Authorization()
    token = redeem(running, asked, person.links(asked)["code"]).json()["id_token"]
    head, body, signature = token.split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    with running.client() as app:
        (key,) = app.get("/jwks").json()["keys"]
    assert header["alg"] == key["alg"] == "RS256"
    assert header["kid"] == key["kid"]
    assert "d" not in key
    public = rsa.RSAPublicNumbers(number(key["e"]), number(key["n"])).public_key()
    size = public.key_size // 8
    public.verify(number(signature).to_bytes(size), f"{head}.{body}".encode(), padding.PKCS1v15(), SHA256())


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("ada", "ada"),
        ("  Ada ", "ada"),
        ("ada@example.org", "ada@example.org"),
        ("Ada Lovelace", "person-"),
        ("Zoë", "person-"),
        ("<script>alert(1)</script>", "person-"),
        ("x" * 64, "x" * 64),
    ],
)
def test_any_name_will_do_and_is_always_the_same_account(running: Running, meet: Meet, name: str, subject: str) -> None:
    found = set()
    for typed in (name, name.upper()):
        asked = Authorization()
        tokens = redeem(running, asked, meet(running).links(asked, typed)["code"]).json()
        found.add(claims(tokens["id_token"])["sub"])
    (one,) = found
    assert one.startswith(subject)
    assert one.isascii()


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "\u00a0"])
def test_nobodys_name_is_asked_for_again(person: Person, name: str) -> None:
    page = person.submits(person.opens(Authorization()), "Log in", name=name)
    assert page.status_code == 400
    assert "A name has 1 to 64 characters." in page.text
    assert "<title>Log in · Sandbox</title>" in page.text


def test_the_consent_page_says_who_and_what(person: Person) -> None:
    page = person.submits(person.opens(Authorization(), {"prompt": "consent"}), "Log in", name="Ada")
    assert "<title>Allow Dashtam? · Sandbox</title>" in page.text
    assert "<strong>ada</strong>" in page.text
    assert "access while you are away" in page.text


@pytest.mark.parametrize("step", ["login", "consent"])
def test_a_person_may_deny_at_either_step(person: Person, step: str) -> None:
    asked = Authorization()
    page = person.opens(asked)
    if step == "consent":
        page = person.submits(page, "Log in", name="ada")
    back = returned(person.submits(page, "Deny"))
    assert (back["error"], back["state"], back["iss"]) == ("access_denied", asked.state, ISSUER)
    assert back["error_description"] == "The person denied the request"
    assert "code" not in back


def test_who_allowed_before_is_not_asked_again_until_it_is_revoked(running: Running, person: Person) -> None:
    first, second = Authorization(), Authorization()
    tokens = redeem(running, first, person.links(first)["code"]).json()
    assert "code" in returned(person.opens(second))
    assert revoke(running, tokens["refresh_token"]).status_code == 200
    assert "Allow Dashtam?" in person.opens(Authorization()).text


def test_refresh_tokens_rotate_and_an_old_one_ends_them_all(running: Running, person: Person) -> None:
    asked = Authorization()
    first = redeem(running, asked, person.links(asked)["code"]).json()["refresh_token"]
    second = refresh(running, first).json()["refresh_token"]
    assert second != first
    for token in (first, second):
        refused = refresh(running, token)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


def test_a_revoked_token_is_not_refreshed(running: Running, person: Person) -> None:
    asked = Authorization()
    token = redeem(running, asked, person.links(asked)["code"]).json()["refresh_token"]
    assert revoke(running, token).status_code == 200
    assert refresh(running, token).json()["error"] == "invalid_grant"


def test_the_access_token_opens_the_account(running: Running, person: Person) -> None:
    asked = Authorization()
    token = redeem(running, asked, person.links(asked)["code"]).json()["access_token"]
    with running.client() as app:
        assert app.get("/me", headers={"Authorization": f"Bearer {token}"}).json()["sub"] == "ada"
        assert app.get("/me", headers={"Authorization": "Bearer forged"}).status_code == 401


def test_somebody_else_logs_in(running: Running, person: Person) -> None:
    person.links(Authorization(), "ada")
    authorization = Authorization()
    login = person.submits(person.opens(authorization, {"prompt": "consent"}), "Use another name")
    consent = person.submits(login, "Log in", name="grace")
    assert "<strong>grace</strong>" in consent.text
    answer = returned(person.submits(consent, "Allow"))
    assert answer["state"] == authorization.state
    assert claims(redeem(running, authorization, answer["code"]).json()["id_token"])["sub"] == "grace"


def test_a_provider_that_fails_when_asked_for_tokens(running: Running, person: Person) -> None:
    authorization = Authorization()
    answer = redeem(running, authorization, person.links(authorization, "Unavailable")["code"])
    assert answer.status_code == 503
    assert answer.json()["error"] == "temporarily_unavailable"
