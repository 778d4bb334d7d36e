from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra import app, callback
from infra.naming import Naming

if TYPE_CHECKING:
    from tests.unit.infra.conftest import Load


@pytest.mark.parametrize(
    ("build", "reload"),
    [("development", ["--reload"]), ("production", [])],
)
def test_only_mounted_source_is_reloaded(load: Load, build: str, reload: list[str]) -> None:
    settings = load({"app.build": build})
    assert app.python_command("app.run.app", settings) == ["python", "-m", "app.run.app", *reload]
    mounts = app.source_mounts(settings)
    assert len(mounts) == len(reload)
    assert all(mount.read_only and mount.target == "/srv/app" for mount in mounts)


def test_the_service_is_told_of_its_surroundings(load: Load) -> None:
    settings = load({"redis.database": 1, "app.debug": True, "postgres.port": 5433, "redis.port": 6380})
    environment = app.environment(settings, Naming("review-42", "me"))
    assert environment == {
        "ENVIRONMENT": "review-42",
        "DEBUG": "true",
        "TESTING": "false",
        "DATABASE_HOST": "postgres",
        "DATABASE_PORT": "5432",
        "DATABASE_NAME": "dashtam_test",
        "DATABASE_USER": "dashtam_test_user",
        "DATABASE_PASSWORD_FILE": "/run/secrets/database-password",
        "REDIS_HOST": "redis",
        "REDIS_PORT": "6379",
        "REDIS_DB": "1",
        "REDIS_USER": "dashtam",
        "REDIS_PASSWORD_FILE": "/run/secrets/redis-password",
        "SECRET_KEY_FILE": "/run/secrets/secret-key",
        "OAUTH_REDIRECT_URI": "https://127.0.0.1:8182",
        "PUBLIC_URL": "https://app:8000",
        "PROVIDERS_FILE": "/run/secrets/providers.json",
        "TOKEN_KEYS_FILE": "/run/secrets/token-keys.json",
        "TLS_CA_FILE": "/run/secrets/ca.crt",
        "TLS_CERTIFICATE_FILE": "/run/secrets/tls.crt",
        "TLS_KEY_FILE": "/run/secrets/tls.key",
    }


def test_the_service_is_told_where_browsers_find_it(load: Load) -> None:
    assert app.environment(load({"app.port": 8001}), Naming("test", "me"))["PUBLIC_URL"] == "https://localhost:8001"


def test_the_callback_is_told_of_the_app_and_of_no_credentials(load: Load) -> None:
    assert callback.environment(load({"app.debug": True}), "review-42") == {
        "ENVIRONMENT": "review-42",
        "DEBUG": "true",
        "APP_URL": "https://app:9000",
        "PUBLIC_URL": "https://app:8000",
        "TLS_CA_FILE": "/run/secrets/ca.crt",
        "TLS_CERTIFICATE_FILE": "/run/secrets/tls.crt",
        "TLS_KEY_FILE": "/run/secrets/tls.key",
    }


def test_the_probe_is_a_verified_request_from_inside() -> None:
    assert app.probe("https://localhost:8000/ready") == "python -m app.run.probe https://localhost:8000/ready"
