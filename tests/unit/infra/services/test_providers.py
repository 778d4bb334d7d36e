from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import event
from hypothesis import given as drawn
from hypothesis import strategies as st
from pydantic import ValidationError

from app.core.errors import ServiceError
from app.providers import config as app_config
from infra.config.errors import ConfigError
from infra.config.providers import ProviderSettings
from infra.endpoints import Endpoint
from infra.services import providers
from infra.services.providers import Credentials

if TYPE_CHECKING:
    from tests.unit.infra.conftest import Load

FILES = {"client_id_file": "~/id", "client_secret_file": "~/secret"}
KNOWN = Credentials("the id", "the secret")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "id").write_text("the id\n")
    (tmp_path / "secret").write_text("  the secret\r\n")
    return tmp_path


@pytest.fixture(autouse=True)
def private(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The certificates that this machine trusts besides the public ones: none, unless a test adds one."""
    certificates: list[str] = []
    monkeypatch.setattr("infra.authorities.added", lambda: "".join(certificates))
    return certificates


def settings(load: Load, **given: Any) -> dict[str, ProviderSettings]:  # noqa: ANN401 - a config's values
    return load({"providers.my-bank": {**FILES, **given}}).providers


def test_credentials_are_read_from_home(load: Load, home: Path) -> None:
    del home
    found = providers.read_credentials("dev", settings(load, preset="schwab"))
    assert found == {"my-bank": KNOWN}
    assert "the" not in repr(found["my-bank"])


def test_without_providers_nothing_is_read() -> None:
    assert providers.read_credentials("dev", {}) == {}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file or directory"),
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"one\ntwo\n", "it is not one line of text"),
        (b"\xff", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
    ],
)
def test_a_file_that_holds_no_secret_is_told(load: Load, home: Path, content: bytes | None, reason: str) -> None:
    (home / "secret").unlink()
    if content is not None:
        (home / "secret").write_bytes(content)
    with pytest.raises(ConfigError) as error:
        providers.read_credentials("dev", settings(load, preset="schwab"))
    assert str(error.value).split("\n  ") == [
        "Pulumi.dev.yaml is not valid:",
        (
            f'dashtam:providers.my-bank.client_secret_file = "~/secret": {reason};'
            " put the client secret that the provider gave you there, and nothing else."
        ),
    ]


def test_all_files_that_are_missing_are_told_at_once(load: Load, home: Path) -> None:
    for path in home.iterdir():
        path.unlink()
    with pytest.raises(ConfigError) as error:
        providers.read_credentials("dev", settings(load, preset="schwab"))
    assert len(str(error.value).splitlines()) == 3


def test_a_preset_is_completed_by_the_service(load: Load) -> None:
    one = settings(load, preset="schwab", title="Schwab (mine)")["my-bank"]
    assert providers.configured("my-bank", one, KNOWN) == {
        "name": "my-bank",
        "preset": "schwab",
        "title": "Schwab (mine)",
        "client_id": "the id",
        "client_secret": "the secret",
    }


def test_an_openid_provider_needs_its_issuer_alone(load: Load) -> None:
    one = settings(load, kind="oidc", issuer="https://bank.example/")["my-bank"]
    assert json.loads(providers.document([providers.configured("my-bank", one, KNOWN)])) == [
        {
            "name": "my-bank",
            "title": "My-bank",
            "kind": "oidc",
            "issuer": "https://bank.example/",
            "scopes": ["openid", "offline_access"],
            "client_id": "the id",
            "client_secret": "the secret",
        }
    ]


def test_what_is_given_comes_before_the_defaults(load: Load) -> None:
    given = {
        "kind": "oauth2",
        "title": "Bank",
        "authorization_endpoint": "https://bank.example/a?b=c",
        "token_endpoint": "https://bank.example/t",
        "revocation_endpoint": "https://bank.example/r",
        "subject_url": "https://bank.example/whoami",
        "subject_field": "/account",
        "authorization_parameters": {"access_type": "offline"},
        "scopes": ["read"],
        "token_auth": "client_secret_post",
        "trust": "environment",
        "redirect_uri": "https://127.0.0.1:8182/other",
    }
    made = providers.configured("my-bank", settings(load, **given)["my-bank"], KNOWN)
    assert made == {"name": "my-bank", **given, "client_id": "the id", "client_secret": "the secret"}


WORDS = st.text(max_size=3) | st.sampled_from(("openid", "a b", "é", '"', "x" * 101, "x" * 256, "/a/b"))
PLACES = st.tuples(
    st.sampled_from(("https://", "HTTPS://", "http://")),
    st.sampled_from(("bank.example", "[::1]", "[::", "u@a", "a:0", "a:1", "a:70000", "ä.example", ":1", "")),
    st.sampled_from(("", "/", "/a", "?q", "/a?b=c", "#f", "/ ", "/é")),
).map("".join)
URLS = (
    *("issuer", "discovery_url", "authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint"),
    *("subject_url", "redirect_uri"),
)
EDITS = (
    st.tuples(st.sampled_from(URLS), PLACES)
    | st.tuples(st.sampled_from(("title", "subject_field")), WORDS)
    | st.tuples(st.sampled_from(("scopes", "dead_grant_codes")), st.lists(WORDS, max_size=2).map(tuple))
    | st.tuples(st.just("authorization_parameters"), st.dictionaries(WORDS, WORDS, max_size=2))
)
SOUND = {
    "oidc": {"issuer": "https://bank.example"},
    "oauth2": {"authorization_endpoint": "https://a.example", "token_endpoint": "https://b", "subject_field": "id"},
}


def _serves(provider: dict[str, Any]) -> bool:
    try:
        app_config.parse(providers.document([provider]), "https://127.0.0.1:8182")
    except ServiceError:
        return False
    return True


@drawn(st.sampled_from(sorted(SOUND)), EDITS)
def test_the_service_reads_what_the_config_accepts(kind: str, edit: tuple[str, Any]) -> None:
    try:
        one = ProviderSettings.model_validate({**FILES, "kind": kind, **SOUND[kind], edit[0]: edit[1]})
    except ValidationError:
        event(f"{edit[0]} is refused")
    else:
        event(f"{edit[0]} is accepted")
        assert _serves(providers.configured("my-bank", one, KNOWN))


@drawn(WORDS.map(str.strip))
def test_the_service_takes_the_credentials_that_are_accepted(word: str) -> None:
    known = Credentials(word, word)
    made = {"name": "my-bank", "preset": "schwab", "client_id": known.client_id, "client_secret": known.client_secret}
    assert _serves(made) or providers.unsendable(word)


def test_how_a_link_ends_is_handed_on(load: Load) -> None:
    given = {"dead_grant_codes": ["gone"], "link_lifetime": "90d", "revoke_replaced": False}
    made = providers.configured("my-bank", settings(load, preset="schwab", **given)["my-bank"], KNOWN)
    assert {name: made[name] for name in given} == {**given, "link_lifetime": 90 * 86_400}


@pytest.mark.parametrize("wrong", ["7", 7, "0d", "7h", "3651d"])
def test_a_lifetime_is_a_number_of_days(load: Load, wrong: object) -> None:
    with pytest.raises(ConfigError, match="it must be a whole number of days"):
        settings(load, preset="schwab", link_lifetime=wrong)


def test_a_path_of_its_own_tells_a_provider_apart(load: Load) -> None:
    bank = {**FILES, "preset": "schwab", "redirect_uri": "https://127.0.0.1:8182/bank"}
    given = {"bank": bank, "schwab": {**FILES, "preset": "schwab"}}
    assert set(load({"providers": given}).providers) == {"bank", "schwab"}
    given["other"] = {**bank, "redirect_uri": "https://localhost:8182/bank"}
    with pytest.raises(ConfigError, match="redirects of the providers bank and other can't be distinguished"):
        load({"providers": given})


@pytest.mark.parametrize(
    ("environments", "of_bank", "accepted"),
    [
        ("https://127.0.0.1:8182/back", "https://127.0.0.1:8182/back", False),
        ("https://127.0.0.1:8182/back", "https://localhost:8182/%62ack", False),
        ("https://127.0.0.1:8182/back", "https://127.0.0.1:8182", True),
        ("https://127.0.0.1:8182/back", "https://127.0.0.1:8182/back/", True),
        ("https://127.0.0.1:8182", "https://127.0.0.1:8182/", False),
    ],
)
def test_a_provider_without_a_redirect_uri_has_the_environments_path(
    load: Load, environments: str, of_bank: str, accepted: bool
) -> None:
    given = {"bank": {**FILES, "preset": "schwab", "redirect_uri": of_bank}, "schwab": {**FILES, "preset": "schwab"}}
    change = {"app.oauth_redirect_uri": environments, "providers": given}
    if accepted:
        assert set(load(change).providers) == {"bank", "schwab"}
    else:
        with pytest.raises(ConfigError, match="can't be distinguished"):
            load(change)


def test_the_sandbox_is_asked_in_the_network_and_shown_to_browsers() -> None:
    made = providers.sandbox(Endpoint("sandbox", 8282, 8283), KNOWN)
    assert made["issuer"] == "https://localhost:8283"
    assert made["authorization_endpoint"] == "https://localhost:8283/auth"
    assert made["discovery_url"] == "https://sandbox:8282/.well-known/openid-configuration"
    assert made["trust"] == "environment"
    assert made["authorization_response_iss_parameter_supported"] is True


def test_the_document_is_a_list() -> None:
    assert json.loads(providers.document([{"name": "a"}, {"name": "b"}])) == [{"name": "a"}, {"name": "b"}]
    assert json.loads(providers.document([])) == []


def test_a_proxy_is_the_providers(load: Load, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    del home
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy.example:3128")
    found = settings(load, preset="schwab")
    assert providers.configured("my-bank", found["my-bank"], KNOWN)["proxy"] == "http://me:secret@proxy.example:3128"
    assert "proxy" not in providers.sandbox(Endpoint("sandbox", 8282, 8282, ("sandbox",)), KNOWN)


def test_a_private_authority_is_trusted_beside_the_public_ones(load: Load, private: list[str]) -> None:
    private.append("a certificate")
    public = settings(load, preset="schwab")["my-bank"]
    assert providers.configured("my-bank", public, KNOWN)["ca_certificates"] == "a certificate"
    own = settings(load, kind="oidc", issuer="https://bank.example", trust="environment")["my-bank"]
    assert "ca_certificates" not in providers.configured("my-bank", own, KNOWN)
    assert "ca_certificates" not in providers.sandbox(Endpoint("sandbox", 8282, 8282), KNOWN)
