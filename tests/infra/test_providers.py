"""What the service is told of the providers whose accounts it links, and of the keys of what it stores."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.conftest import stack_config
from tests.infra.recording import run_program

if TYPE_CHECKING:
    from tests.infra.recording import Deployment

    Declare = Callable[[str], Deployment]


def told(deployment: Deployment) -> list[dict[str, Any]]:
    """Return what the service is told of providers."""
    document: list[dict[str, Any]] = json.loads(deployment.file("app", "providers.json"))
    return document


@pytest.mark.parametrize(
    ("stack", "issuer"),
    [
        ("dev", "https://localhost:8282"),
        ("test", "https://localhost:8283"),
        ("ci", "https://sandbox:8282"),
        ("review-42", "https://localhost:8292"),
    ],
)
def test_service_and_sandbox_agree(declare: Declare, stack: str, issuer: str) -> None:
    deployment = declare(stack)
    (sandbox,) = told(deployment)
    given = dict(entry.split("=", 1) for entry in deployment.service("sandbox").inputs["envs"])
    app = dict(entry.split("=", 1) for entry in deployment.service("app").inputs["envs"])
    assert sandbox["issuer"] == given["ISSUER"] == issuer
    assert sandbox["authorization_endpoint"] == f"{issuer}/auth"
    assert sandbox["discovery_url"] == "https://sandbox:8282/.well-known/openid-configuration"
    assert sandbox["client_id"] == given["CLIENT_ID"]
    assert sandbox["client_secret"] == deployment.file("sandbox", "client-secret")
    assert given["REDIRECT_URI"] == app["OAUTH_REDIRECT_URI"]
    assert given["SANDBOX_ALLOWED"] == "true"


@pytest.mark.parametrize(
    ("stack", "url"),
    [("dev", "https://localhost:8000"), ("test", "https://localhost:8001"), ("ci", "https://app:8000")],
)
def test_the_service_knows_where_browsers_find_it(declare: Declare, stack: str, url: str) -> None:
    assert f"PUBLIC_URL={url}" in declare(stack).service("app").inputs["envs"]


def test_a_sandbox_that_is_switched_off_leaves_nothing(without_sandbox: Deployment) -> None:
    assert told(without_sandbox) == []
    assert not [resource for resource in without_sandbox.resources if "sandbox" in resource.name.lower()]
    assert "localhost:8282" not in json.dumps([resource.inputs for resource in without_sandbox.resources])


def test_configured_providers_come_with_their_credentials_as_secrets(variables: dict[str, str], tmp_path: Path) -> None:
    for name in ("id", "secret"):
        (tmp_path / name).write_text(f"client-{name}-from-a-file\n")
    files = {f"client_{name}_file": f"{tmp_path}/{name}" for name in ("id", "secret")}
    for enabled in (True, False):
        config = {
            **stack_config("review-42"),
            "dashtam:providers": json.dumps({"schwab": {"preset": "schwab", **files}}),
            "dashtam:sandbox": json.dumps({"enabled": enabled}),
        }
        deployment = run_program("review-42", config, variables)
        assert [one["name"] for one in told(deployment)] == ["sandbox", "schwab"][not enabled :]
        assert told(deployment)[-1]["client_secret"] == "client-secret-from-a-file"
        assert all("from-a-file" not in resource.shown for resource in deployment.resources)


def test_every_key_decrypts_and_the_last_one_encrypts(variables: dict[str, str], declare: Declare) -> None:
    secret = declare("test").secret
    assert json.loads(declare("test").file("app", "token-keys.json")) == {
        "active": "k1",
        "keys": {"k1": f"{secret}-token-k1-key"},
    }
    config = {**stack_config("review-42"), "dashtam:tokens": json.dumps({"keys": ["k1", "k2"]})}
    assert json.loads(run_program("review-42", config, variables).file("app", "token-keys.json")) == {
        "active": "k2",
        "keys": {name: f"{secret}-token-{name}-key" for name in ("k1", "k2")},
    }
