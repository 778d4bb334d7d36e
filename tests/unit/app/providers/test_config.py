from __future__ import annotations

import json
from typing import Any

import pytest

from app.errors import ServiceError
from app.providers.config import parse

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
        ({**OAUTH, "token_endpoint": None}, "authorization_endpoint and token_endpoint"),
        ({**OAUTH, "token_endpoint": "https://plain.example/token#part"}, "0.token_endpoint"),
        ({"preset": "schwab"}, "0.client_id"),
        ({"preset": "unheard-of"}, "no preset 'unheard-of'; there are: schwab"),
    ],
)
def test_a_wrong_entry_is_named_without_its_values(entry: dict[str, Any], said: str) -> None:
    with pytest.raises(ServiceError, match="PROVIDERS") as raised:
        parse(json.dumps([entry]))
    assert said in str(raised.value)
    assert "hidden-value" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "{", "5", "[5]", '["x"]'])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ServiceError, match="JSON list of objects"):
        parse(text)


def test_names_are_unique() -> None:
    with pytest.raises(ServiceError, match="twice"):
        parse(json.dumps([OIDC, {**OAUTH, "name": "sandbox"}]))
