"""Which provider's redirects may arrive at which path (RFC 9700, section 4.4.2)."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from pydantic import SecretStr

from app.providers.client import make_providers

if TYPE_CHECKING:
    from app.core.settings import AppSettings
    from tests.certificates import Authority

ENTRY = {
    "title": "Bank",
    "kind": "oauth2",
    "client_id": "id",
    "client_secret": "s",
    "authorization_endpoint": "https://bank.example/auth",
    "token_endpoint": "https://bank.example/token",
}
NAMED = {"issuer": "https://bank.example", "authorization_response_iss_parameter_supported": True}
OWN = {"redirect_uri": "https://127.0.0.1:8182/bank%20b"}


@pytest.mark.parametrize(
    ("entries", "accepted"),
    [
        ({"a": {}}, {"a": {"/", "/bank b", "/c"}}),
        ({"a": {}, "b": OWN}, {"a": {"/"}, "b": {"/bank b"}}),
        ({"a": NAMED, "b": OWN}, {"a": {"/", "/bank b", "/c"}, "b": {"/", "/bank b", "/c"}}),
        ({"a": NAMED, "b": OWN, "c": {}}, {"a": {"/", "/bank b", "/c"}, "b": {"/bank b"}, "c": {"/"}}),
    ],
)
def test_where_the_path_alone_tells_providers_apart_it_counts(
    authority: Authority, entries: dict[str, dict[str, object]], accepted: dict[str, set[str]]
) -> None:
    listed = json.dumps([{**ENTRY, "name": name, **entry} for name, entry in entries.items()])
    settings = SimpleNamespace(
        oauth_redirect_uri="https://127.0.0.1:8182/", providers=SecretStr(listed), tls_ca_file=authority.ca_file
    )
    made = make_providers(cast("AppSettings", settings))
    paths = ("/", "/bank b", "/c")
    assert {name: {path for path in paths if one.accepts_path(path)} for name, one in made.items()} == accepted
