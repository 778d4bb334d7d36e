from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from infra.outputs import StackOutputs

DATABASE = "postgresql://u:hidden-word@127.0.0.1:5433/d?sslmode=verify-full"
INTERNAL_DATABASE = "postgresql://u:hidden-word@postgres:5432/d?sslmode=verify-full"
REDIS = "rediss://dashtam:hidden-word@127.0.0.1:6380/1"
INTERNAL_REDIS = "rediss://dashtam:hidden-word@redis:6379/1"
APP = '{"variables": {}, "files": {"SECRET_KEY_FILE": "hidden-word"}}'

DOCUMENT: dict[str, Any] = {
    "environment": "test",
    "engine": "an-id",
    "target": {
        "kind": "swarm",
        "data_node": "node1",
        "nodes": {"node1": "unix:///run/docker.sock"},
        "services": {"app": "dashtam-test-app"},
        "replicas": {"app": 3},
    },
    "network": "dashtam-test-network",
    "containers": {name: f"dashtam-test-{name}" for name in ("postgres", "redis", "app", "callback", "sandbox")},
    "volumes": {},
    "images": {"postgres": "p:1", "redis": "r:1", "app": "a:1", "callback": "c:1", "sandbox": "s:1", "tests": None},
    "ports": {"app": 8001, "postgres": 5433, "redis": 6380, "callback": 8183, "sandbox": 8283, "debugger": None},
    "bind_address": "127.0.0.1",
    "hostname": "localhost",
    "client_host": "127.0.0.1",
    "urls": {
        "app": "https://localhost:8001",
        "docs": "https://localhost:8001/docs",
        "callback": None,
        "sandbox": "https://localhost:8283",
    },
    "internal_urls": {
        "app": "https://app:8000",
        "docs": "https://app:8000/docs",
        "callback": "https://callback:8182",
        "sandbox": "https://sandbox:8282",
    },
    "ca_certificate": "-----BEGIN CERTIFICATE-----",
    "database": {"name": "d", "user": "u"},
    "database_dsn": DATABASE,
    "internal_database_dsn": INTERNAL_DATABASE,
    "redis_database": 1,
    "redis_dsn": REDIS,
    "internal_redis_dsn": INTERNAL_REDIS,
    "oauth_redirect_uri": "https://127.0.0.1:8183",
    "app_on_host": APP,
}
SECRETS = {
    "database_dsn": DATABASE,
    "internal_database_dsn": INTERNAL_DATABASE,
    "redis_dsn": REDIS,
    "internal_redis_dsn": INTERNAL_REDIS,
    "app_on_host": APP,
}
SINCE = {"engine", "target", "bind_address", "hostname", "client_host", "app_on_host"}
"""What earlier versions didn't have."""
UNPUBLISHED = {"database_dsn", "redis_dsn"}
"""Pulumi leaves out what is null."""


@pytest.fixture
def outputs() -> StackOutputs:
    return StackOutputs.model_validate(DOCUMENT)


def test_the_document_names_every_field() -> None:
    assert set(DOCUMENT) == set(StackOutputs.model_fields)


def test_secrets_are_typed(outputs: StackOutputs) -> None:
    assert outputs.database_dsn is not None
    assert outputs.database_dsn.get_secret_value() == DATABASE
    assert outputs.internal_redis_dsn.get_secret_value() == INTERNAL_REDIS


def test_revealed_is_the_whole_document(outputs: StackOutputs) -> None:
    assert json.loads(outputs.revealed()) == DOCUMENT
    assert StackOutputs.model_validate_json(outputs.revealed()) == outputs


def test_public_is_the_document_without_secrets(outputs: StackOutputs) -> None:
    assert outputs.public().model_dump(mode="json") == {
        name: value for name, value in DOCUMENT.items() if name not in SECRETS
    }


def test_no_secret_is_shown(outputs: StackOutputs) -> None:
    for shown in (
        repr(outputs.public()),
        outputs.public().model_dump_json(),
        repr(outputs),
        str(outputs),
        f"{outputs}",
        outputs.model_dump_json(),
    ):
        assert "hidden-word" not in shown


def test_what_is_not_published_is_null() -> None:
    unpublished = StackOutputs.model_validate(
        {
            **DOCUMENT,
            "ports": dict.fromkeys(DOCUMENT["ports"]),
            "urls": dict.fromkeys(DOCUMENT["urls"]),
            "database_dsn": None,
            "redis_dsn": None,
        }
    )
    assert json.loads(unpublished.revealed())["database_dsn"] is None
    assert "hidden-word" not in unpublished.public().model_dump_json()


def test_outputs_of_before_there_was_a_sandbox_are_read() -> None:
    parts = ("containers", "images", "ports", "urls", "internal_urls")
    older = {name: {k: v for k, v in DOCUMENT[name].items() if k != "sandbox"} for name in parts}
    assert StackOutputs.model_validate({**DOCUMENT, **older}).containers.sandbox is None


def test_what_is_absent_is_not_published() -> None:
    absent = {name: value for name, value in DOCUMENT.items() if name not in UNPUBLISHED}
    outputs = StackOutputs.model_validate(absent)
    assert (outputs.database_dsn, outputs.redis_dsn) == (None, None)


@pytest.mark.parametrize("name", [name for name in DOCUMENT if name not in {*UNPUBLISHED, *SINCE}])
def test_every_other_field_is_required(name: str) -> None:
    with pytest.raises(ValidationError, match="Field required"):
        StackOutputs.model_validate({key: value for key, value in DOCUMENT.items() if key != name})


@pytest.mark.parametrize("change", [{"surplus": 1}, {"ports": {**DOCUMENT["ports"], "surplus": 1}}])
def test_nothing_else_is_accepted(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        StackOutputs.model_validate({**DOCUMENT, **change})
