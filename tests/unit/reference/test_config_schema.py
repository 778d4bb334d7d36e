from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft7Validator, meta

from infra.config import settings
from infra.config.errors import ConfigError
from infra.config.providers import ProviderSettings
from infra.config.sections import PostgresSettings, RedisSettings
from reference.config_schema import PATH, schema
from reference.files import ROOT
from tests.unit.infra.config.test_refusals import REFUSALS
from tests.unit.infra.conftest import changed

if TYPE_CHECKING:
    from tests.unit.infra.conftest import Change

SCHEMA = json.loads((ROOT / PATH).read_text())
VALIDATOR = Draft7Validator(SCHEMA)
CONFIGS = ("dev", "test", "ci")
BEYOND = (
    "is used by both",
    "an internal network publishes nothing",
    "sandbox.enabled lets anyone",
    "the environment's own provider",
    "neither a preset nor a kind",
    "a provider of kind",
    "the flow itself sets",
    "need an issuer to compare with",
    "a discovery_url needs an issuer",
    "its preset says the kind",
    "a subject_url needs",
    "can't be distinguished",
    "no host has this address",
    "is longer than interval",
    "tuning speed turns fsync off",
    "is less than what PostgreSQL takes",
    "can't be combined with storage",
    "would be renewed at every up",
)
"""What is more than one value's form: the settings alone decide that."""
BANK = {"client_id_file": "id", "client_secret_file": "secret", "kind": "oidc", "issuer": "https://bank.example"}


def file(change: Change) -> dict[str, Any]:
    config = {key: yaml.safe_load(value) for key, value in changed(change).items()}
    return {"config": config}


def test_it_is_a_schema() -> None:
    meta.validate(SCHEMA)


@pytest.mark.parametrize("stack", CONFIGS)
def test_the_committed_configs_are_valid(stack: str) -> None:
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text()
    VALIDATOR.validate(yaml.safe_load(text))
    assert text.startswith(f"# yaml-language-server: $schema={PATH}\n")


@pytest.mark.parametrize(("change", "message"), REFUSALS)
def test_what_the_settings_refuse_is_refused(change: Change, message: str) -> None:
    assert VALIDATOR.is_valid(file(change)) == any(part in message for part in BEYOND)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"postgres.port": 5432},
        {"providers.bank": BANK},
        {"providers.bank": {**BANK, "preset": "schwab", "kind": None, "issuer": None}},
        {"providers.bank": {**BANK, "authorization_parameters": {"access_type": "offline"}}},
        {"providers.bank": {**BANK, "preset": "schwab", "kind": None, "subject_url": "https://a"}},
        {
            "providers": {
                "bank": BANK,
                "other": {**BANK, "authorization_response_iss_parameter_supported": True},
            }
        },
        {
            "providers.bank": {
                **BANK,
                "kind": "oauth2",
                "authorization_endpoint": "https://a",
                "token_endpoint": "https://b",
            }
        },
        {"network.internal": True, "sandbox.port": 8282},
        {"network.internal": True, "app.testing": True, "sandbox.enabled": True},
        {"postgres.tuning": "speed", "postgres.memory": "2g"},
    ],
)
def test_what_the_settings_accept_is_accepted(change: Change) -> None:
    settings.load("review-42", changed(change))
    VALIDATOR.validate(file(change))


@pytest.mark.parametrize(
    ("document", "valid"),
    [
        ({"encryptionsalt": "v1:abc", "secretsprovider": "passphrase"}, True),
        ({"encryptionsalt": 5}, False),
        ({"config": {}}, False),
        ({"config": {"docker:host": "unix:///elsewhere.sock"}}, True),
        ({"config": {"postgres": {"database": "without_namespace"}}}, False),
    ],
)
def test_what_is_beside_our_own_keys(document: dict[str, Any], valid: bool) -> None:
    own = file({})
    config = own["config"] | document["config"] if document.get("config") else document.get("config", own["config"])
    assert VALIDATOR.is_valid({**document, "config": config}) == valid


KEYS = st.sampled_from(sorted({*PostgresSettings.model_fields, *RedisSettings.model_fields}))
VALUES = st.none() | st.booleans() | st.integers(-1, 70_000) | st.sampled_from(["tmpfs", "volume", "none", "aof", "1g"])


@given(
    postgres=st.dictionaries(KEYS, VALUES, max_size=3),
    redis=st.dictionaries(KEYS, VALUES, max_size=3),
    provider=st.dictionaries(st.sampled_from(list(ProviderSettings.model_fields)), VALUES | st.just("https://a")),
)
def test_nothing_that_the_settings_accept_is_refused(
    postgres: dict[str, Any], redis: dict[str, Any], provider: dict[str, Any]
) -> None:
    own = file({})["config"]
    own["dashtam:postgres"] |= postgres
    own["dashtam:redis"] |= redis
    own["dashtam:providers"] = {"bank": {**BANK, **provider}}
    try:
        settings.load_document("any", own)
    except ConfigError:
        return
    VALIDATOR.validate({"config": own})


def test_every_key_is_described() -> None:
    made = schema()
    assert all(definition["description"] for definition in made["$defs"].values())
    fields = [field for one in made["$defs"].values() for field in one.get("properties", {}).values()]
    assert len(fields) > 50
    assert all(field["description"] for field in fields)
