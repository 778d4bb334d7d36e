from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.core.errors import ServiceError
from app.providers.client import Provider
from app.providers.config import RESERVED_REQUEST_PARAMETERS, parse
from app.providers.subjects import find
from tests.unit.app.providers.conftest import CHALLENGE

OIDC: dict[str, Any] = {
    "name": "sandbox",
    "title": "Sandbox",
    "kind": "oidc",
    "issuer": "https://localhost:8282",
    "scopes": ["openid"],
    "client_id": "dashtam",
    "client_secret": "hidden-value",
}
OAUTH: dict[str, Any] = {
    "name": "plain",
    "title": "Plain",
    "kind": "oauth2",
    "authorization_endpoint": "https://plain.example/authorize",
    "token_endpoint": "https://plain.example/token",
    "client_id": "dashtam",
    "client_secret": "hidden-value",
}


def test_an_oidc_provider_is_found_at_its_issuer() -> None:
    [found] = parse(json.dumps([OIDC]))
    assert found.metadata_url == "https://localhost:8282/.well-known/openid-configuration"
    assert "hidden-value" not in repr(found)


def test_metadata_may_be_elsewhere() -> None:
    [found] = parse(json.dumps([{**OIDC, "discovery_url": "https://sandbox:8282/metadata"}]))
    assert found.metadata_url == "https://sandbox:8282/metadata"


def test_a_plain_provider_has_no_metadata() -> None:
    [found] = parse(json.dumps([OAUTH]))
    assert found.metadata_url is None


def test_schwab_needs_its_secrets_only() -> None:
    [found] = parse(json.dumps([{"preset": "schwab", "client_id": "id", "client_secret": "hidden-value"}]))
    assert (found.name, found.title, found.kind, found.trust) == ("schwab", "Charles Schwab", "oauth2", "public")
    assert found.authorization_endpoint == "https://api.schwabapi.com/v1/oauth/authorize"
    assert found.token_endpoint == "https://api.schwabapi.com/v1/oauth/token"
    assert found.token_auth == "client_secret_basic"
    assert found.subject_url == "https://api.schwabapi.com/trader/v1/userPreference"
    answer = {"accounts": [], "streamerInfo": [{"schwabClientCustomerId": "customer-1"}], "offers": []}
    assert find(answer, found.subject_field or "") == "customer-1"


def test_an_entry_comes_before_its_preset() -> None:
    entry = {"preset": "schwab", "title": "My broker", "client_id": "id", "client_secret": "hidden-value"}
    [found] = parse(json.dumps([entry]))
    assert found.title == "My broker"


def test_no_provider_is_fine() -> None:
    assert parse("[]") == ()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({**OIDC, "issuer": None}, "kind oidc needs an issuer"),
        ({**OIDC, "scopes": ["profile"]}, "openid among its scopes"),
        ({**OIDC, "issuer": "http://localhost:8282"}, "0.issuer"),
        ({**OIDC, "issuer": "https://localhost:8282/?tenant=1"}, "0.issuer"),
        ({**OIDC, "name": "Sand Box"}, "0.name"),
        ({**OIDC, "scopes": ["openid", "two words"]}, "0.scopes.1"),
        ({**OIDC, "surprise": 1}, "0.surprise"),
        ({**OIDC, "client_secret": ""}, "0.client_secret"),
        ({**OIDC, "trust": "nobody"}, "0.trust"),
        ({**OIDC, "client_secret": "hidden-value-ä"}, "0.client_secret: Value error, it has characters that no"),
        ({**OIDC, "client_secret": "hidden-value\0"}, "0.client_secret: Value error, it has characters that no"),
        ({**OIDC, "client_id": "ä"}, "0.client_id"),
        ({**OIDC, "redirect_uri": "http://127.0.0.1:8182"}, "0.redirect_uri"),
        ({**OAUTH, "authorization_response_iss_parameter_supported": True}, "needs an issuer to compare with"),
        ({**OAUTH, "discovery_url": "https://plain.example/metadata"}, "discovery_url needs an issuer"),
        ({**OAUTH, "subject_url": "https://plain.example/whoami"}, "subject_url needs a subject_field"),
        ({**OAUTH, "token_endpoint": None}, "authorization_endpoint and token_endpoint"),
        ({**OAUTH, "token_endpoint": "https://plain.example/token#part"}, "0.token_endpoint"),
        ({**OAUTH, "token_endpoint": "http://plain.example/token"}, "0.token_endpoint"),
        ({**OAUTH, "token_endpoint": "https://[plain.example/token"}, "0.token_endpoint"),
        ({**OAUTH, "token_endpoint": "https://:443/token"}, "0.token_endpoint: Value error, it names no host"),
        ({"preset": "schwab"}, "0.client_id"),
        ({"preset": "unheard-of"}, "no preset 'unheard-of'; there are: schwab"),
    ],
)
def test_a_wrong_entry_is_named_without_its_values(entry: dict[str, Any], said: str) -> None:
    with pytest.raises(ServiceError, match="PROVIDERS") as raised:
        parse(json.dumps([entry]))
    assert said in str(raised.value)
    assert "hidden-value" not in str(raised.value)


@pytest.mark.parametrize("name", sorted(RESERVED_REQUEST_PARAMETERS))
def test_what_the_flow_sets_itself_is_no_further_parameter(name: str) -> None:
    with pytest.raises(ServiceError, match=f"{name} is set by the flow itself"):
        parse(json.dumps([{**OIDC, "authorization_parameters": {"access_type": "offline", name: "x"}}]))


async def test_the_flow_sets_no_other_parameters(provider: Callable[..., Provider]) -> None:
    url = await provider().authorization_url(CHALLENGE)
    assert set(parse_qs(urlsplit(url).query)) - {"prompt"} <= RESERVED_REQUEST_PARAMETERS


def test_an_endpoint_may_have_a_query() -> None:
    [found] = parse(json.dumps([{**OAUTH, "authorization_endpoint": "https://plain.example/authorize?tenant=1"}]))
    assert found.authorization_endpoint == "https://plain.example/authorize?tenant=1"


NAMED = {"authorization_response_iss_parameter_supported": True}


@pytest.mark.parametrize(
    "entries",
    [
        [{**OIDC, **NAMED}, OAUTH],
        [{**OIDC, **NAMED}, {**OIDC, **NAMED, "name": "bank"}, OAUTH],
        [{**OIDC, **NAMED}, {"preset": "schwab", "client_id": "id", "client_secret": "hidden-value"}],
    ],
)
def test_one_provider_need_not_name_its_issuer(entries: list[dict[str, Any]]) -> None:
    assert len(parse(json.dumps(entries))) == len(entries)


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"redirect_uri": "https://localhost:8182"},
        {"redirect_uri": "https://localhost:8182/"},
        {"authorization_response_iss_parameter_supported": False},
    ],
)
def test_two_providers_whose_redirects_are_alike_are_refused(other: dict[str, Any]) -> None:
    with pytest.raises(ServiceError, match="redirects of sandbox, plain can't be told apart"):
        parse(json.dumps([OIDC, {**OIDC, **NAMED, "name": "bank"}, {**OAUTH, **other}]))


def test_a_path_of_its_own_tells_a_provider_apart() -> None:
    others = [{**OIDC, "redirect_uri": f"https://localhost:8182/{name}", "name": name} for name in ("a", "b")]
    assert len(parse(json.dumps([OAUTH, *others]))) == 3
    with pytest.raises(ServiceError, match="redirects of plain, a can't be told apart: all arrive at /a"):
        parse(json.dumps([OAUTH, *others]), "https://127.0.0.1:8182/a")


def test_schwab_ends_a_link_after_a_week() -> None:
    [found] = parse('[{"preset": "schwab", "client_id": "id", "client_secret": "s"}]')
    assert found.link_lifetime == 7 * 24 * 3600
    assert {"unsupported_token_type", "refresh_token_authentication_error"} < set(found.dead_grant_codes)


@pytest.mark.parametrize("text", ["", "{", "5", "[5]", '["x"]'])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ServiceError, match="JSON list of objects"):
        parse(text)


def test_names_are_unique() -> None:
    with pytest.raises(ServiceError, match="twice"):
        parse(json.dumps([OIDC, {**OAUTH, "name": "sandbox"}]))
