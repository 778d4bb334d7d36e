from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.services import sandbox

if TYPE_CHECKING:
    from tests.unit.infra.conftest import Load


def test_the_sandbox_is_told_of_its_surroundings(load: Load) -> None:
    settings = load({"app.debug": True, "sandbox.enabled": True, "sandbox.port": 8283, "redis.database": 3})
    assert sandbox.environment(settings) == {
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
    ("debug", "testing", "allowed"),
    [(True, True, "true"), (True, False, "true"), (False, True, "true"), (False, False, "false")],
)
def test_only_development_and_tests_allow_it(load: Load, debug: bool, testing: bool, allowed: str) -> None:
    settings = load({"app.debug": debug, "app.testing": testing})
    assert sandbox.environment(settings)["SANDBOX_ALLOWED"] == allowed


def test_an_unpublished_sandbox_is_its_own_issuer_in_the_network(load: Load) -> None:
    assert sandbox.issuer(load({"app.testing": True, "sandbox.enabled": True})) == "https://sandbox:8282"
