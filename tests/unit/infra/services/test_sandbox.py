from __future__ import annotations

from typing import Any

import pytest

from infra.config.sections import SandboxSettings
from infra.endpoints import Endpoint, Login
from infra.services import sandbox
from infra.services.sandbox import SandboxArgs

NONE: Any = None


def environment(own: Endpoint, *, allowed: bool = True) -> dict[str, str]:
    args = SandboxArgs(
        SandboxSettings(),
        allowed=allowed,
        redirect_uri="https://127.0.0.1:8182",
        client_secret=NONE,
        cache=Login("rediss", Endpoint("redis", 6379), "sandbox", NONE, "3"),
    )
    return sandbox.environment(args, own)


def test_the_sandbox_gets_its_surroundings() -> None:
    assert environment(Endpoint("sandbox", 8282, 8283)) == {
        "SANDBOX_ALLOWED": "true",
        "PORT": "8282",
        "ISSUER": "https://localhost:8283",
        "CLIENT_ID": "dashtam",
        "CLIENT_SECRET_FILE": "/run/secrets/client-secret",
        "REDIRECT_URI": "https://127.0.0.1:8182",
        "COOKIE_KEY_FILE": "/run/secrets/cookie-key",
        "SIGNING_KEY_FILE": "/run/secrets/signing-key",
        "REDIS_HOST": "redis",
        "REDIS_PORT": "6379",
        "REDIS_DB": "3",
        "REDIS_USER": "sandbox",
        "REDIS_PASSWORD_FILE": "/run/secrets/redis-password",
        "TLS_CA_FILE": "/run/secrets/ca.crt",
        "TLS_CERTIFICATE_FILE": "/run/secrets/tls.crt",
        "TLS_KEY_FILE": "/run/secrets/tls.key",
    }


@pytest.mark.parametrize(("allowed", "expected"), [(True, "true"), (False, "false")])
def test_only_development_and_tests_allow_it(allowed: bool, expected: str) -> None:
    assert environment(Endpoint("sandbox", 8282), allowed=allowed)["SANDBOX_ALLOWED"] == expected


def test_an_unpublished_sandbox_is_its_own_issuer_in_the_network() -> None:
    assert environment(Endpoint("sandbox", 8282))["ISSUER"] == "https://sandbox:8282"
