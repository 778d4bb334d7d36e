from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infra.endpoints import Endpoint, Login
from infra.services import app
from infra.services.app import AppArgs
from infra.services.health import SCHEDULE

if TYPE_CHECKING:
    from infra.services.app import Build
    from tests.unit.infra.conftest import Load, Refused

NONE: Any = None
OWN = Endpoint("app", 8000)


@pytest.mark.parametrize(
    ("build", "reload"),
    [("development", ["--reload"]), ("production", [])],
)
def test_only_mounted_source_is_reloaded(build: Build, reload: list[str]) -> None:
    assert app.server_command("app.run.app", build) == ["python", "-m", "app.run.app", *reload]
    assert list(app.source_binds(build)) == ["/srv/app"] * len(reload)


def environment(load: Load, own: Endpoint, **settings: object) -> dict[str, str]:
    args = AppArgs(
        load({f"app.{key}": value for key, value in settings.items()}).app,
        database=Login("postgresql", Endpoint("database", 5432, 5433), "a_user", NONE, "a_name"),
        cache=Login("rediss", Endpoint("cache", 6379, 6380), "another", NONE, "1"),
        providers=NONE,
        token_keys=NONE,
        session_key=NONE,
    )
    return app.environment(args, own)


def test_the_service_gets_addresses_in_its_network_and_names_of_files(load: Load) -> None:
    assert environment(load, OWN, debug=True) == {
        "DEBUG": "true",
        "TESTING": "false",
        "DATABASE_HOST": "database",
        "DATABASE_PORT": "5432",
        "DATABASE_NAME": "a_name",
        "DATABASE_USER": "a_user",
        "DATABASE_PASSWORD_FILE": "/run/secrets/database-password",
        "REDIS_HOST": "cache",
        "REDIS_PORT": "6379",
        "REDIS_DB": "1",
        "REDIS_USER": "another",
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


def test_the_health_check_is_a_verified_request_from_inside() -> None:
    expected = f"python -m app.run.probe https://localhost:8000/ready {SCHEDULE}"
    assert app.server_health(OWN, "/ready") == expected


def test_the_service_gets_the_address_for_browsers(load: Load) -> None:
    assert environment(load, Endpoint("app", 8000, 8001))["PUBLIC_URL"] == "https://localhost:8001"


def test_a_debugger_is_listened_for_only_if_the_config_gives_it_a_port(load: Load) -> None:
    assert "DEBUGGER_PORT" not in environment(load, OWN)
    with_port = environment(load, OWN, build="development", debugger_port=5678)
    assert with_port["DEBUGGER_PORT"] == "5678"


def test_a_debugger_goes_with_mounted_source_only(refused: Refused) -> None:
    (problem,) = refused({"app.debugger_port": 5678})
    assert "set build: development, or remove it" in problem


def test_the_debuggers_port_is_another_ones_nowhere(refused: Refused) -> None:
    (problem,) = refused({"app.build": "development", "app.debugger_port": 8000, "app.port": 8000})
    assert "port 8000 is used by both app and debugger" in problem
