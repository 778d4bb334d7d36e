from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.catalogue import ImageSource
from infra.config import settings
from infra.config.errors import ConfigError
from infra.config.sections import AppSettings, PostgresSettings
from infra.naming import SERVICES

if TYPE_CHECKING:
    from tests.unit.infra.conftest import Load


def test_defaults_are_safe(load: Load) -> None:
    minimal = settings.load(
        "any",
        {
            "dashtam:postgres": '{"database": "d", "user": "u"}',
            "dashtam:app": '{"oauth_redirect_uri": "https://127.0.0.1"}',
        },
    )
    assert (minimal.postgres.storage, minimal.postgres.tuning) == ("volume", "durable")
    assert (minimal.redis.storage, minimal.redis.persistence, minimal.redis.database) == ("volume", "aof", 0)
    assert minimal.ports == dict.fromkeys(("app", "postgres", "redis", "callback", "sandbox", "debugger"))
    assert (minimal.app.build, minimal.app.debug, minimal.app.testing) == ("production", False, False)
    assert minimal.network.internal is False
    assert minimal.containers.stop_grace == "30s"
    assert minimal.images.source is None
    assert load({}).tests.image is False
    assert (minimal.sandbox.enabled, minimal.providers, minimal.tokens.keys) == (False, {}, ("k1",))


def test_values_are_kept_as_written(load: Load) -> None:
    loaded = load({"postgres.port": 1, "redis.port": 65535, "images.source": "debian", "health.interval": "750ms"})
    assert (loaded.postgres.port, loaded.redis.port) == (1, 65535)
    assert loaded.images.source is ImageSource.DEBIAN
    assert loaded.health.interval == "750ms"


def test_a_sandbox_that_is_switched_off_takes_no_port(load: Load) -> None:
    off = load({"sandbox.port": 8182, "callback.port": 8182, "network.internal": False})
    assert off.ports["sandbox"] is None
    assert off.services == ("postgres", "redis", "app", "callback")


@pytest.mark.parametrize("mode", ["app.debug", "app.testing"])
def test_a_sandbox_goes_with_debug_or_testing(load: Load, mode: str) -> None:
    on = load({"sandbox.enabled": True, "sandbox.port": 8282, mode: True})
    assert on.ports["sandbox"] == 8282
    assert on.services == SERVICES


def test_settings_never_change(load: Load) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load({}).postgres.port = 1  # type: ignore[misc]


VALID = {
    "dashtam:postgres": '{"database": "d", "user": "u"}',
    "dashtam:app": '{"oauth_redirect_uri": "https://127.0.0.1"}',
}


def test_other_namespaces_are_left_alone() -> None:
    assert settings.load("any", {"docker:registryAuth": "[]", "aws:region": "x", **VALID}).postgres.database == "d"


@pytest.mark.parametrize("key", sorted(settings.ENGINE_KEYS))
def test_the_provider_gets_no_engine_of_its_own(key: str) -> None:
    with pytest.raises(ConfigError, match=f"{key} is not used: .* DOCKER_HOST"):
        settings.load("any", {key: "elsewhere", **VALID})


@pytest.mark.parametrize("value", ['{"database": "hidden value", "user": "u"}', "hidden value", '["hidden value"]'])
def test_a_secret_value_is_never_shown(value: str) -> None:
    config = {"dashtam:postgres": value, "dashtam:app": '{"oauth_redirect_uri": "https://127.0.0.1"}'}
    with pytest.raises(ConfigError) as error:
        settings.load("any", config, frozenset({"dashtam:postgres"}))
    assert "hidden value" not in str(error.value)
    assert " = [secret]: " in str(error.value)
    assert error.value.__suppress_context__


def test_nesting_without_end_is_a_wrong_value_too() -> None:
    with pytest.raises(ConfigError, match="dashtam:network = "):
        settings.load("any", {"dashtam:network": "[" * 100_000})


@given(port=st.integers(1, 65535))
def test_every_port_is_accepted(port: int) -> None:
    assert AppSettings(port=port, oauth_redirect_uri="https://127.0.0.1").port == port


@given(port=st.integers(max_value=0) | st.integers(min_value=65536))
def test_no_other_number_is_a_port(port: int) -> None:
    with pytest.raises(ConfigError, match=r"dashtam:callback\.port = "):
        settings.load("any", {"dashtam:callback": json.dumps({"port": port})})


KEYS = st.sampled_from([*settings.StackSettings.model_fields, *PostgresSettings.model_fields]) | st.text()
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["volume", "1g", "2s"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(stack=st.text(min_size=1), document=st.dictionaries(KEYS, DOCUMENTS, max_size=6))
def test_any_document_is_valid_or_told_what_is_wrong(stack: str, document: dict[str, Any]) -> None:
    config = {f"dashtam:{key}": json.dumps(value) for key, value in document.items()}
    _valid_or_told(stack, config)


@given(config=st.dictionaries(KEYS.map("dashtam:{}".format), st.text(), max_size=6))
def test_any_text_is_valid_or_told_what_is_wrong(config: dict[str, str]) -> None:
    _valid_or_told("any", config)


def _valid_or_told(stack: str, config: dict[str, str]) -> None:
    try:
        settings.load(stack, config)
    except ConfigError as error:
        heading, *problems = str(error).split("\n  ")
        assert heading == f"Pulumi.{stack}.yaml is not valid:"
        assert problems
        assert all(problem.startswith("dashtam") for problem in problems)
