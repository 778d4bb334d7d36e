from __future__ import annotations

from typing import Any

import pytest

from infra.config.sections import AppSettings
from infra.endpoints import Endpoint, Login
from infra.services import sandbox

NONE: Any = None


def environment(own: Endpoint, *, debug: bool = True, testing: bool = False) -> dict[str, str]:
    app = AppSettings(oauth_redirect_uri="https://127.0.0.1:8182", debug=debug, testing=testing)
    return sandbox.environment(app, Login("rediss", Endpoint("redis", 6379), "sandbox", NONE, "3"), own)


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


@pytest.mark.parametrize(
    ("debug", "testing", "expected"), [(True, False, "true"), (False, True, "true"), (False, False, "false")]
)
def test_only_development_and_tests_allow_it(debug: bool, testing: bool, expected: str) -> None:
    assert environment(Endpoint("sandbox", 8282), debug=debug, testing=testing)["SANDBOX_ALLOWED"] == expected


def test_an_unpublished_sandbox_is_its_own_issuer_in_the_network() -> None:
    assert environment(Endpoint("sandbox", 8282))["ISSUER"] == "https://sandbox:8282"
