from __future__ import annotations

import base64
import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import httpx2
import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from app.callback import app
from app.providers import client, discovery
from app.providers.client import Provider
from app.providers.errors import InvalidIdTokenError, ProviderError, RefusedError, UnavailableError
from tests.unit.app.providers.conftest import CHALLENGE, ISSUER, KEY, OTHER_KEY, BackChannel, Pause, id_token

Make = Callable[..., Provider]

METADATA = "/.well-known/openid-configuration"
PLAIN = {
    "kind": "oauth2",
    "issuer": None,
    "scopes": ("read",),
    "authorization_endpoint": f"{ISSUER}/auth",
    "token_endpoint": f"{ISSUER}/token",
}


async def test_the_browser_is_sent_with_pkce_state_and_nonce(provider: Make) -> None:
    url = urlsplit(await provider().authorization_url(CHALLENGE))
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert url._replace(query="").geturl() == f"{ISSUER}/auth"
    assert query == {
        "response_type": "code",
        "client_id": "dashtam",
        "redirect_uri": "https://127.0.0.1:8182",
        "scope": "openid offline_access",
        "state": "the-state",
        "nonce": "the-nonce",
        "prompt": "consent",
        "code_challenge": query["code_challenge"],
        "code_challenge_method": "S256",
    }
    assert CHALLENGE.verifier not in url.query


@pytest.mark.parametrize(
    ("mode", "asks", "accepts"),
    [({}, [], False), ({"response_mode": "form_post"}, ["form_post"], True), ({"response_mode": "any"}, [], True)],
)
async def test_a_form_is_asked_for_and_accepted_as_configured(
    provider: Make, mode: dict[str, str], asks: list[str], *, accepts: bool
) -> None:
    one = provider(**mode)
    query = parse_qs(urlsplit(await one.authorization_url(CHALLENGE)).query)
    assert query.get("response_mode", []) == asks
    assert one.accepts_forms is accepts


async def test_further_parameters_are_sent_along(provider: Make) -> None:
    further = {"access_type": "offline", "prompt": "select_account consent", "uri": "u"}
    one = provider(authorization_parameters=further, authorization_endpoint=f"{ISSUER}/auth?tenant=1")
    query = parse_qs(urlsplit(await one.authorization_url(CHALLENGE)).query)
    assert {name: query[name] for name in (*further, "tenant", "state")} == {
        "access_type": ["offline"],
        "uri": ["u"],
        "prompt": ["select_account consent"],
        "tenant": ["1"],
        "state": ["the-state"],
    }


async def test_a_plain_provider_gets_no_nonce(provider: Make, back_channel: BackChannel) -> None:
    query = parse_qs(urlsplit(await provider(**PLAIN).authorization_url(CHALLENGE)).query)
    assert "nonce" not in query
    assert back_channel.asked == []


async def test_the_configuration_comes_before_the_metadata(provider: Make) -> None:
    url = await provider(authorization_endpoint="https://localhost:8282/auth").authorization_url(CHALLENGE)
    assert url.startswith("https://localhost:8282/auth?")


@pytest.mark.parametrize(
    ("announced", "issuer", "accepted"),
    [
        (True, ISSUER, True),
        (True, None, False),
        (True, f"{ISSUER}/", False),
        (True, "https://another.example", False),
        (True, "", False),
        (False, None, True),
        (False, ISSUER, True),
        (False, "https://another.example", False),
    ],
)
async def test_the_issuer_is_compared_exactly(
    provider: Make, back_channel: BackChannel, announced: bool, issuer: str | None, accepted: bool
) -> None:
    back_channel.answers[METADATA]["authorization_response_iss_parameter_supported"] = announced
    assert await provider().accepts_issuer(issuer) is accepted


async def test_the_configuration_may_say_that_the_issuer_is_named(provider: Make, back_channel: BackChannel) -> None:
    back_channel.answers[METADATA]["authorization_response_iss_parameter_supported"] = False
    assert not await provider(authorization_response_iss_parameter_supported=True).accepts_issuer(None)


async def test_a_provider_without_issuer_accepts_none(provider: Make) -> None:
    plain = provider(**PLAIN)
    assert await plain.accepts_issuer(None)
    assert not await plain.accepts_issuer("https://another.example")


async def test_a_code_is_exchanged(provider: Make, back_channel: BackChannel) -> None:
    grant = await provider().exchange("the-code", CHALLENGE)
    assert (grant.access_token, grant.refresh_token, grant.subject) == (
        "an-access-token",
        "a-refresh-token",
        "account-1",
    )
    assert grant.scopes == ("openid", "offline_access")
    assert grant.expires_at is not None
    assert abs(grant.expires_at - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=1)
    assert back_channel.form("/token") == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "code_verifier": CHALLENGE.verifier,
        "redirect_uri": "https://127.0.0.1:8182",
    }
    assert "an-access-token" not in repr(grant)
    assert "a-refresh-token" not in repr(grant)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_the_secret_is_presented_as_configured(provider: Make, back_channel: BackChannel, method: str) -> None:
    await provider(token_auth=method).exchange("the-code", CHALLENGE)
    [request] = [one for one in back_channel.asked if one.url.path == "/token"]
    basic = "Basic " + base64.b64encode(b"dashtam:a-secret").decode()
    assert (request.headers.get("Authorization") == basic) is (method == "client_secret_basic")
    assert (back_channel.form("/token").get("client_secret") == "a-secret") is (method == "client_secret_post")


async def test_a_plain_provider_may_name_the_account(provider: Make, back_channel: BackChannel) -> None:
    back_channel.answers["/token"] = back_channel.tokens(account="a-7", scope=None, id_token=None, expires_in=None)
    grant = await provider(**PLAIN, subject_field="account").exchange("the-code", CHALLENGE)
    assert (grant.subject, grant.scopes, grant.expires_at) == ("a-7", ("read",), None)
    unnamed = [await provider(**PLAIN).exchange("the-code", CHALLENGE) for _ in range(2)]
    assert unnamed[0].subject != unnamed[1].subject


async def test_the_account_may_be_named_elsewhere(provider: Make, back_channel: BackChannel) -> None:
    elsewhere = {"subject_url": f"{ISSUER}/whoami", "subject_field": "/users/0/id"}
    back_channel.answers["/whoami"] = {"users": [{"id": "person-1"}, {"id": "person-2"}]}
    grant = await provider(**PLAIN, **elsewhere).exchange("the-code", CHALLENGE)
    assert grant.subject == "person-1"
    assert back_channel.asked[-1].headers["Authorization"] == "Bearer an-access-token"


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        ({"users": []}, UnavailableError),
        ({"users": [{"id": ""}]}, UnavailableError),
        (httpx2.Response(200, json=[]), UnavailableError),
        (httpx2.Response(500), UnavailableError),
        (httpx2.Response(403), RefusedError),
    ],
)
async def test_an_account_that_is_not_named_is_not_linked(
    provider: Make, back_channel: BackChannel, answer: object, failure: type[ProviderError]
) -> None:
    back_channel.answers["/whoami"] = answer
    with pytest.raises(failure):
        await provider(**PLAIN, subject_url=f"{ISSUER}/whoami", subject_field="/users/0/id").exchange("c", CHALLENGE)


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        "not.a.token",
        id_token(iss="https://another.example"),
        id_token(iss=None),
        id_token(aud="another"),
        id_token(aud=None),
        id_token(aud=["dashtam", "another"], azp="another"),
        id_token(aud=["dashtam", "another"]),
        id_token(aud=["dashtam", "another"], azp=["dashtam"]),
        id_token(aud=["dashtam"], azp="another"),
        id_token(aud=[]),
        id_token(sub="a\0b"),
        id_token(sub="a" * 256),
        id_token(sub=["account-1"]),
        id_token(nonce="another"),
        id_token(nonce=None),
        id_token(exp=1),
        id_token(exp=None),
        id_token(sub=None),
        id_token(OTHER_KEY),
        id_token(OctKey.import_key("a-secret-that-is-long-enough-to-sign"), "HS256"),
    ],
)
async def test_an_id_token_that_is_not_right_is_refused(
    provider: Make, back_channel: BackChannel, token: str | None
) -> None:
    back_channel.answers["/token"] = back_channel.tokens(id_token=token)
    with pytest.raises(InvalidIdTokenError) as raised:
        await provider().exchange("the-code", CHALLENGE)
    assert not token or token not in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"nonce": None}, r"missing_claim \(nonce\)$"),
        ({"nonce": ""}, r"invalid_claim \(nonce\)$"),
        ({"nonce": "another"}, r"invalid_claim \(nonce\)$"),
        ({"iss": "https://another.example"}, r"invalid_claim \(iss\)$"),
        ({"aud": "another"}, r"invalid_claim \(aud\)$"),
        ({"exp": None}, r"missing_claim \(exp\)$"),
    ],
)
async def test_a_refused_id_token_is_told_with_its_claim(
    provider: Make, back_channel: BackChannel, changes: dict[str, Any], reason: str
) -> None:
    back_channel.answers["/token"] = back_channel.tokens(id_token=id_token(**changes))
    with pytest.raises(InvalidIdTokenError, match=reason):
        await provider().exchange("the-code", CHALLENGE)


@pytest.mark.parametrize("audience", [{"aud": ["dashtam"]}, {"aud": ["another", "dashtam"], "azp": "dashtam"}])
async def test_an_id_token_for_several_names_the_one_it_was_issued_to(
    provider: Make, back_channel: BackChannel, audience: dict[str, Any]
) -> None:
    back_channel.answers["/token"] = back_channel.tokens(id_token=id_token(**audience))
    assert (await provider().exchange("the-code", CHALLENGE)).subject == "account-1"


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA", "kid": "two"},
        {"kty": "unheard-of", "kid": "two"},
        {"kty": "RSA", "kid": "two"},
        {"kid": "two"},
        {"kty": ["RSA"]},
        "no key",
        None,
    ],
)
async def test_keys_that_are_not_understood_are_ignored(provider: Make, back_channel: BackChannel, key: object) -> None:
    back_channel.answers["/jwks"]["keys"].insert(0, key)
    assert (await provider().exchange("the-code", CHALLENGE)).subject == "account-1"


def _metadata(**changes: object) -> dict[str, Any]:
    return {**BackChannel().answers[METADATA], **changes}


@pytest.mark.parametrize(
    ("path", "answer", "kind"),
    [
        ("/token", httpx2.Response(400, json={"error": "invalid_grant", "error_description": "used"}), RefusedError),
        ("/token", httpx2.Response(401, json={"error": "invalid_client"}), RefusedError),
        ("/token", httpx2.Response(403, text="<html>"), RefusedError),
        ("/token", httpx2.Response(400, json={"error": {"message": "no"}}), RefusedError),
        ("/token", httpx2.Response(200, json={"error": "bad_verification_code"}), RefusedError),
        ("/token", httpx2.Response(429, json={"error": "slow_down"}), UnavailableError),
        ("/token", httpx2.Response(302, headers={"Location": ISSUER}), UnavailableError),
        ("/token", httpx2.Response(503, text="maintenance"), UnavailableError),
        ("/token", httpx2.Response(200, text="[" * 100_000), UnavailableError),
        ("/token", BackChannel.tokens(access_token="a\0b"), UnavailableError),
        ("/token", httpx2.Response(200, text="<html>"), UnavailableError),
        ("/token", httpx2.Response(200, json=["list"]), UnavailableError),
        ("/token", httpx2.Response(200, json={"access_token": 5, "token_type": "bearer"}), UnavailableError),
        ("/token", httpx2.Response(200, json={"access_token": "a", "token_type": "mac"}), UnavailableError),
        ("/token", httpx2.ConnectError("refused"), UnavailableError),
        ("/token", httpx2.ReadTimeout("slow"), UnavailableError),
        ("/jwks", httpx2.Response(500), UnavailableError),
        ("/jwks", httpx2.Response(200, text="no json"), UnavailableError),
        ("/jwks", httpx2.Response(200, json=[]), UnavailableError),
        ("/jwks", httpx2.Response(404), UnavailableError),
        ("/jwks", {"keys": []}, InvalidIdTokenError),
        ("/jwks", {"keys": "none"}, InvalidIdTokenError),
        (METADATA, httpx2.Response(404), UnavailableError),
        (METADATA, httpx2.ConnectError("refused"), UnavailableError),
        (METADATA, {"issuer": "https://another.example"}, UnavailableError),
        (METADATA, {"issuer": ISSUER}, UnavailableError),
        (METADATA, _metadata(jwks_uri=None), UnavailableError),
        (METADATA, _metadata(token_endpoint="http://issuer.example/token"), UnavailableError),
        (METADATA, _metadata(jwks_uri="http://issuer.example/jwks"), UnavailableError),
        (METADATA, _metadata(revocation_endpoint=["https://issuer.example"]), UnavailableError),
        (METADATA, _metadata(token_endpoint="https://issuer.example:port/"), UnavailableError),
    ],
)
async def test_what_goes_wrong_is_told(
    provider: Make, back_channel: BackChannel, path: str, answer: object, kind: type[ProviderError]
) -> None:
    back_channel.answers[path] = answer
    with pytest.raises(kind) as raised:
        await provider().exchange("the-code", CHALLENGE)
    assert str(raised.value)
    assert "the-code" not in str(raised.value)
    assert "a-secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"error": "invalid_grant", "error_description": "used"}, "invalid_grant: used"),
        ({"error": "in\nvalid", "error_description": 5}, "invalid"),
        ({"error": "x" * 1000}, "x" * 300),
        ({"error": 5}, "400"),
        (
            {"errors": [{"status": 401, "title": "Unauthorized", "detail": "client is invalid"}]},
            "400: client is invalid",
        ),
        ({"error": {"message": "Invalid code", "type": "OAuthException", "code": 100}}, "100: Invalid code"),
        ({"error": {"status": "INVALID_ARGUMENT", "message": "Bad"}, "message": "in all"}, "400: in all"),
        ({"code": "expired", "message": "The grant has ended"}, "expired: The grant has ended"),
        ({"errors": "gone"}, "gone"),
        ({"error": [], "errors": [5], "code": True, "message": {"a": 1}}, "400"),
        ({"message": "the\ncode"}, "400: thecode"),
        (["error"], "400"),
    ],
)
async def test_a_refusal_fits_into_a_line(
    provider: Make, back_channel: BackChannel, said: object, expected: str
) -> None:
    back_channel.answers["/token"] = httpx2.Response(400, json=said)
    with pytest.raises(RefusedError) as raised:
        await provider().refresh("a-refresh-token")
    assert str(raised.value) == expected


@pytest.mark.parametrize("status", [200, 400])
async def test_a_refusal_repeats_no_secret(provider: Make, back_channel: BackChannel, status: int) -> None:
    words = "the-code and the token a-refresh-token are not known"
    back_channel.answers["/token"] = back_channel.answers["/revoke"] = httpx2.Response(
        status, json={"error": "invalid_grant", "error_description": words}
    )
    one = provider()
    with pytest.raises(RefusedError, match=r"invalid_grant: \.\.\. and the token a-refresh-token"):
        await one.exchange("the-code", CHALLENGE)
    with pytest.raises(RefusedError, match=r"invalid_grant: the-code and the token \.\.\. are not known"):
        await one.refresh("a-refresh-token")


async def test_a_refusal_to_name_the_account_repeats_no_token(provider: Make, back_channel: BackChannel) -> None:
    words = "an-access-token lacks a scope"
    back_channel.answers["/whoami"] = httpx2.Response(401, json={"error": "no", "error_description": words})
    asking = provider(**PLAIN, subject_url=f"{ISSUER}/whoami", subject_field="id")
    with pytest.raises(RefusedError, match=r"^no: \.\.\. lacks a scope$"):
        await asking.exchange("the-code", CHALLENGE)


async def test_what_was_granted_is_revoked_where_the_rest_takes_too_long(
    provider: Make, back_channel: BackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "DEADLINE", 1.0)
    back_channel.pauses = {"/whoami": Pause()}
    endpoints = {"subject_url": f"{ISSUER}/whoami", "subject_field": "id", "revocation_endpoint": f"{ISSUER}/revoke"}
    with pytest.raises(UnavailableError, match="takes more than"):
        await provider(**PLAIN, **endpoints).exchange("the-code", CHALLENGE)
    assert back_channel.form("/revoke")["token"] == "an-access-token"


async def test_a_provider_that_takes_too_long_is_given_up(
    provider: Make, back_channel: BackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "DEADLINE", 0.01)
    for path in (METADATA, "/token", "/jwks"):
        back_channel.pauses = {path: Pause()}
        with pytest.raises(UnavailableError, match=r"Sandbox takes more than 0\.01 seconds"):
            await provider().exchange("the-code", CHALLENGE)


def test_the_callback_waits_longer_than_a_provider_may_take() -> None:
    assert app.TIMEOUT.read is not None
    assert discovery.TIMEOUT < client.DEADLINE < app.TIMEOUT.read


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded; charset=utf-8", "text/plain"])
async def test_tokens_may_come_as_a_form(provider: Make, back_channel: BackChannel, kind: str) -> None:
    form = "access_token=gho_1&expires_in=60&scope=repo%2Cuser%3Aemail&token_type=bearer"
    back_channel.answers["/token"] = httpx2.Response(200, text=form, headers={"Content-Type": kind})
    grant = await provider(**PLAIN).exchange("the-code", CHALLENGE)
    assert (grant.access_token, grant.scopes) == ("gho_1", ("repo", "user:email"))
    assert grant.expires_at is not None


@pytest.mark.parametrize("status", [200, 400])
async def test_a_refusal_may_come_as_a_form(provider: Make, back_channel: BackChannel, status: int) -> None:
    form = "error=bad_verification_code&error_description=The+code+has+expired"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    back_channel.answers["/token"] = httpx2.Response(status, text=form, headers=kind)
    with pytest.raises(RefusedError, match="bad_verification_code: The code has expired"):
        await provider(**PLAIN).exchange("the-code", CHALLENGE)


@pytest.mark.parametrize(
    ("error", "entry", "ends"),
    [
        ("invalid_grant", {}, True),
        ("bad_refresh_token", {}, True),
        ("invalid_refresh_token", {}, True),
        ("invalid_client", {}, False),
        ("unsupported_token_type", {}, False),
        ("gone", {"dead_grant_codes": ("gone",)}, True),
        ("invalid_grant", {"dead_grant_codes": ("gone",)}, False),
    ],
)
async def test_some_refusals_of_a_refresh_are_for_good(
    provider: Make, back_channel: BackChannel, error: str, entry: dict[str, Any], *, ends: bool
) -> None:
    back_channel.answers["/token"] = httpx2.Response(400, json={"error": error})
    one = provider(**entry)
    with pytest.raises(RefusedError) as raised:
        await one.refresh("a-refresh-token")
    assert one.ends_link(raised.value) == ends


async def test_a_gateway_that_denies_access_ends_no_link(provider: Make, back_channel: BackChannel) -> None:
    back_channel.answers["/token"] = httpx2.Response(403, html="<HTML><H1>Access Denied</H1></HTML>")
    one = provider()
    with pytest.raises(RefusedError) as raised:
        await one.refresh("a-refresh-token")
    assert not one.ends_link(raised.value)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ECKey.generate_key("P-384", {"kid": "one"}), "ES384"),
        (ECKey.generate_key("P-521", {"kid": "one"}), "ES512"),
        (KEY, "RS512"),
        (KEY, "PS384"),
        (OKPKey.generate_key("Ed25519", {"kid": "one"}), "EdDSA"),
        (OKPKey.generate_key("Ed25519", {"kid": "one"}), "Ed25519"),
    ],
)
async def test_an_id_token_may_be_signed_otherwise(
    provider: Make, back_channel: BackChannel, key: RSAKey | ECKey | OKPKey, algorithm: str
) -> None:
    back_channel.answers["/jwks"] = {"keys": [key.as_dict(private=False)]}
    back_channel.answers["/token"] = back_channel.tokens(id_token=id_token(key, algorithm))
    assert (await provider().exchange("the-code", CHALLENGE)).subject == "account-1"


@pytest.mark.parametrize("kid", [None, "another"])
async def test_a_key_need_not_be_named(provider: Make, back_channel: BackChannel, kid: str | None) -> None:
    other = ECKey.generate_key("P-256", {"kid": "three"})
    published: list[dict[str, Any]] = [dict(one.as_dict(private=False)) for one in (OTHER_KEY, other, KEY)]
    published[0]["kid"] = "two"
    published[-1] = {name: value for name, value in published[-1].items() if name != "kid"}
    published[-1] |= {} if kid is None else {"kid": kid}
    back_channel.answers["/jwks"] = {"keys": published}
    assert (await provider().exchange("the-code", CHALLENGE)).subject == "account-1"
    back_channel.answers["/jwks"] = {"keys": published[:2]}
    with pytest.raises(InvalidIdTokenError):
        await provider().exchange("the-code", CHALLENGE)


@pytest.mark.parametrize(
    "before",
    [
        OTHER_KEY.as_dict(private=False),
        {**KEY.as_dict(private=False), "use": "enc", "alg": "RSA-OAEP"},
        {**KEY.as_dict(private=False), "key_ops": ["encrypt"]},
        {"kty": "AKP", "kid": "one", "alg": "ML-DSA-44", "pub": "AA"},
    ],
)
async def test_keys_may_share_a_name(provider: Make, back_channel: BackChannel, before: dict[str, Any]) -> None:
    back_channel.answers["/jwks"] = {"keys": [before, KEY.as_dict(private=False)]}
    assert (await provider().exchange("the-code", CHALLENGE)).subject == "account-1"


async def test_a_key_for_encryption_verifies_nothing(provider: Make, back_channel: BackChannel) -> None:
    back_channel.answers["/jwks"] = {"keys": [{**KEY.as_dict(private=False), "use": "enc"}]}
    with pytest.raises(InvalidIdTokenError):
        await provider().exchange("the-code", CHALLENGE)


@pytest.mark.parametrize("answer", [httpx2.Response(503), httpx2.ConnectError("refused"), []])
async def test_no_code_is_spent_where_its_answer_could_not_be_checked(
    provider: Make, back_channel: BackChannel, answer: object
) -> None:
    back_channel.answers["/jwks"] = httpx2.Response(200, json=answer) if isinstance(answer, list) else answer
    with pytest.raises(UnavailableError):
        await provider().exchange("the-code", CHALLENGE)
    assert "/token" not in [one.url.path for one in back_channel.asked]


@pytest.mark.parametrize("ahead", [-7200, 7200])
async def test_clocks_that_differ_are_named_so(provider: Make, back_channel: BackChannel, ahead: int) -> None:
    made = int(time.time()) + ahead
    back_channel.answers["/token"] = back_channel.tokens(id_token=id_token(iat=made, exp=made + 600))
    with pytest.raises(InvalidIdTokenError, match=r"clock and this computer's differ by 7(19|20)\d s"):
        await provider().exchange("the-code", CHALLENGE)


@pytest.mark.parametrize("odd", [True, "soon", [], float("nan"), float("inf")])
@pytest.mark.parametrize("claim", ["iat", "exp"])
async def test_an_odd_time_is_no_difference_of_clocks(
    provider: Make, back_channel: BackChannel, claim: str, odd: object
) -> None:
    changes: dict[str, Any] = {claim: odd}
    back_channel.answers["/token"] = back_channel.tokens(id_token=id_token(**changes))
    with contextlib.suppress(InvalidIdTokenError):
        assert (await provider().exchange("the-code", CHALLENGE)).subject == "account-1"


async def test_what_was_granted_to_nobody_is_revoked(provider: Make, back_channel: BackChannel) -> None:
    back_channel.answers["/token"] = back_channel.tokens(id_token="odd")
    with pytest.raises(InvalidIdTokenError):
        await provider().exchange("the-code", CHALLENGE)
    revoked = [parse_qs(one.content.decode())["token"] for one in back_channel.asked if one.url.path == "/revoke"]
    assert revoked == [["a-refresh-token"], ["an-access-token"]]


@pytest.mark.parametrize("secret", ["a+b", "100%", "a:b", "a b/=&", "~-._"])
async def test_a_secret_is_encoded_before_it_is_sent(provider: Make, back_channel: BackChannel, secret: str) -> None:
    await provider(client_secret=secret, client_id="the:id").refresh("a-refresh-token")
    sent = base64.b64decode(back_channel.asked[-1].headers["Authorization"].removeprefix("Basic ")).decode()
    name, _, encoded = sent.partition(":")
    assert ":" not in encoded
    assert (unquote_plus(name), unquote_plus(encoded)) == ("the:id", secret)


async def test_a_secret_in_the_body_is_encoded_once(provider: Make, back_channel: BackChannel) -> None:
    await provider(client_secret="a+b%:", token_auth="client_secret_post").refresh("a-refresh-token")
    assert back_channel.form("/token")["client_secret"] == "a+b%:"


@pytest.mark.parametrize(("configured", "described"), [(ISSUER, f"{ISSUER}/"), (f"{ISSUER}/", ISSUER)])
async def test_a_slash_at_the_end_of_an_issuer_may_be_lost(
    provider: Make, back_channel: BackChannel, configured: str, described: str
) -> None:
    back_channel.answers[METADATA] = _metadata(issuer=described)
    back_channel.answers["/token"] = back_channel.tokens(id_token=id_token(iss=described))
    one = provider(issuer=configured)
    assert (await one.exchange("the-code", CHALLENGE)).subject == "account-1"
    assert await one.accepts_issuer(described)
    assert not await one.accepts_issuer(configured)
    assert one.issuer == ISSUER


async def test_a_refresh_keeps_what_is_not_given_anew(provider: Make, back_channel: BackChannel) -> None:
    back_channel.answers["/token"] = back_channel.tokens(access_token="another", refresh_token=None, id_token="odd")
    grant = await provider().refresh("a-refresh-token")
    assert (grant.access_token, grant.refresh_token, grant.subject) == ("another", "a-refresh-token", None)
    assert grant.scopes == ("openid", "offline_access")
    sent = back_channel.form("/token")
    assert (sent["grant_type"], sent["refresh_token"]) == ("refresh_token", "a-refresh-token")


async def test_a_refresh_may_rotate_the_refresh_token(provider: Make, back_channel: BackChannel) -> None:
    back_channel.answers["/token"] = back_channel.tokens(refresh_token="another-refresh-token")
    assert (await provider().refresh("a-refresh-token")).refresh_token == "another-refresh-token"


async def test_a_refresh_that_tells_no_scopes_changes_none(provider: Make, back_channel: BackChannel) -> None:
    back_channel.answers["/token"] = back_channel.tokens(scope=None)
    assert (await provider().refresh("a-refresh-token")).scopes is None
    assert "scope" not in back_channel.form("/token")


async def test_a_token_is_revoked(provider: Make, back_channel: BackChannel) -> None:
    await provider().revoke("a-refresh-token", "refresh_token")
    assert back_channel.form("/revoke") == {"token": "a-refresh-token", "token_type_hint": "refresh_token"}


async def test_a_provider_that_cannot_revoke_is_not_asked(provider: Make, back_channel: BackChannel) -> None:
    for kind in ("refresh_token", "access_token"):
        with pytest.raises(RefusedError, match="offers no revocation"):
            await provider(**PLAIN).revoke("a-token", kind)
    assert back_channel.asked == []


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (httpx2.Response(400, json={"error": "invalid_request"}), RefusedError),
        (httpx2.Response(401, json={"error": "invalid_client"}), RefusedError),
        (httpx2.Response(403, text="<html>"), RefusedError),
        (httpx2.Response(429), UnavailableError),
        (httpx2.Response(503, json={"error": "unsupported_token_type"}), UnavailableError),
        (httpx2.ConnectError("refused"), UnavailableError),
    ],
)
async def test_a_revocation_that_is_refused_differs_from_one_that_fails(
    provider: Make, back_channel: BackChannel, kind: str, answer: object, failure: type[ProviderError]
) -> None:
    back_channel.answers["/revoke"] = answer
    with pytest.raises(failure):
        await provider().revoke("a-token", kind)


async def test_access_tokens_need_not_be_revocable(provider: Make, back_channel: BackChannel) -> None:
    back_channel.answers["/revoke"] = httpx2.Response(400, json={"error": "unsupported_token_type"})
    await provider().revoke("an-access-token", "access_token")
    with pytest.raises(RefusedError):
        await provider().revoke("a-refresh-token", "refresh_token")


def test_it_is_named(provider: Make) -> None:
    assert (provider().name, provider().title) == ("sandbox", "Sandbox")
