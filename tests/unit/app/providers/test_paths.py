"""Which provider's redirects may arrive at which path (RFC 9700, section 4.4.2)."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from app.providers.client import make_providers
from tests.unit.app.providers.conftest import CHALLENGE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.settings import AppSettings
    from app.providers.client import Provider
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


def providers(authority: Authority, uri: str, entries: dict[str, dict[str, object]]) -> Mapping[str, Provider]:
    listed = json.dumps([{**ENTRY, "name": name, **entry} for name, entry in entries.items()])
    settings = SimpleNamespace(oauth_redirect_uri=uri, providers=SecretStr(listed), tls_ca_file=authority.ca_file)
    return make_providers(cast("AppSettings", settings))


@pytest.mark.parametrize("uri", ["https://127.0.0.1:8182", "https://127.0.0.1:8182/", "HTTPS://Bank.example:443/back/"])
async def test_a_redirect_uri_is_sent_as_it_is_registered(authority: Authority, uri: str) -> None:
    url = await providers(authority, uri, {"a": {}})["a"].authorization_url(CHALLENGE)
    assert parse_qs(urlsplit(url).query)["redirect_uri"] == [uri]


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
    made = providers(authority, "https://127.0.0.1:8182/", entries)
    paths = ("/", "/bank b", "/c")
    assert {name: {path for path in paths if one.accepts_path(path)} for name, one in made.items()} == accepted
