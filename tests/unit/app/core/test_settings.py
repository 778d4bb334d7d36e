from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import settings as settings_module
from app.core.errors import ServiceError
from app.core.settings import AppSettings, CallbackSettings, load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    SetEnvironment = Callable[[dict[str, str]], None]


def test_reads_values_and_files(app_environment: dict[str, str], set_environment: SetEnvironment) -> None:
    set_environment(app_environment | {"DEBUG": "true", "REDIS_DB": "1"})
    settings = load(AppSettings)
    assert settings.environment == "unit"
    assert settings.debug is True
    assert settings.redis_db == 1
    assert settings.startup_timeout == 60
    assert settings.database_password.get_secret_value() == "database pw"
    assert settings.redis_password.get_secret_value() == "redis pw"


@pytest.mark.parametrize(
    "uri",
    [
        *("https://127.0.0.1:8182", "https://127.0.0.1:8182/", "HTTPS://Bank.example:443", "https://[::1]:8182"),
        *("https://bank.example/back/", "https://bank.example/%62ack"),
    ],
)
def test_a_redirect_uri_stays_as_it_is_registered(
    app_environment: dict[str, str], set_environment: SetEnvironment, uri: str
) -> None:
    set_environment(app_environment | {"OAUTH_REDIRECT_URI": uri})
    assert load(AppSettings).oauth_redirect_uri == uri


def test_takes_a_secret_from_the_environment_too(
    app_environment: dict[str, str], set_environment: SetEnvironment
) -> None:
    del app_environment["DATABASE_PASSWORD_FILE"]
    set_environment(app_environment | {"DATABASE_PASSWORD": "direct"})
    assert load(AppSettings).database_password.get_secret_value() == "direct"


def test_never_shows_a_secret(app_environment: dict[str, str], set_environment: SetEnvironment) -> None:
    set_environment(app_environment)
    shown = repr(load(AppSettings))
    assert "database pw" not in shown
    assert "redis pw" not in shown
    assert "k" * 32 not in shown


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"DATABASE_PORT": "0"}, "DATABASE_PORT=0: Input should be greater than or equal to 1"),
        ({"DATABASE_PORT": "65536"}, "DATABASE_PORT=65536: Input should be less than or equal to 65535"),
        ({"DATABASE_PORT": "five"}, "DATABASE_PORT=five: Input should be a valid integer"),
        ({"DATABASE_NAME": ""}, "DATABASE_NAME=: String should have at least 1 character"),
        ({"REDIS_DB": "-1"}, "REDIS_DB=-1: Input should be greater than or equal to 0"),
        ({"STARTUP_TIMEOUT": "0"}, "STARTUP_TIMEOUT=0: Input should be greater than 0"),
        ({"DEBUG": "perhaps"}, "DEBUG=perhaps: Input should be a valid boolean"),
        ({"OAUTH_REDIRECT_URI": "nowhere"}, "OAUTH_REDIRECT_URI=nowhere: String should match pattern"),
        ({"OAUTH_REDIRECT_URI": "http://x"}, "OAUTH_REDIRECT_URI=http://x: String should match pattern"),
        ({"OAUTH_REDIRECT_URI": "https://x/?a"}, "OAUTH_REDIRECT_URI=https://x/?a: String should match pattern"),
        ({"TLS_CA_FILE": "/missing/ca.crt"}, "TLS_CA_FILE=/missing/ca.crt: Path does not point to a file"),
        ({"SECRET_KEY_FILE": "/missing"}, "SECRET_KEY_FILE=/missing cannot be read: No such file or directory"),
        ({"SECRET_KEY_FILE": "/"}, "SECRET_KEY_FILE=/ cannot be read: Is a directory"),
        ({"SECRET_KEY": "k"}, "SECRET_KEY and SECRET_KEY_FILE are both set; set one of them"),
    ],
)
def test_refuses_a_bad_value(
    app_environment: dict[str, str], set_environment: SetEnvironment, change: dict[str, str], message: str
) -> None:
    set_environment(app_environment | change)
    with pytest.raises(ServiceError) as caught:
        load(AppSettings)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("DATABASE_HOST", "DATABASE_HOST is not set"),
        ("DATABASE_PASSWORD_FILE", "DATABASE_PASSWORD or DATABASE_PASSWORD_FILE is not set"),
        ("TLS_CA_FILE", "TLS_CA_FILE is not set"),
    ],
)
def test_names_what_is_missing(
    app_environment: dict[str, str], set_environment: SetEnvironment, missing: str, message: str
) -> None:
    del app_environment[missing]
    set_environment(app_environment)
    with pytest.raises(ServiceError) as caught:
        load(AppSettings)
    assert str(caught.value) == message


def test_names_every_fault_at_once(app_environment: dict[str, str], set_environment: SetEnvironment) -> None:
    del app_environment["DATABASE_HOST"]
    set_environment(app_environment | {"REDIS_PORT": "none"})
    with pytest.raises(ServiceError, match=r"DATABASE_HOST is not set; REDIS_PORT=none: "):
        load(AppSettings)


@pytest.mark.parametrize("secret", ["", "\n", "too short"])
def test_refuses_a_short_secret_without_showing_it(
    app_environment: dict[str, str], set_environment: SetEnvironment, tmp_path: Path, secret: str
) -> None:
    (tmp_path / "SECRET_KEY").write_text(secret)
    set_environment(app_environment)
    with pytest.raises(ServiceError) as caught:
        load(AppSettings)
    assert str(caught.value) == "SECRET_KEY: Value should have at least 32 items after validation, not " + str(
        len(secret.strip())
    )


def test_refuses_a_secret_that_is_no_text(
    app_environment: dict[str, str], set_environment: SetEnvironment, tmp_path: Path
) -> None:
    (tmp_path / "SECRET_KEY").write_bytes(b"\xff" * 40)
    set_environment(app_environment)
    with pytest.raises(ServiceError, match=r"SECRET_KEY_FILE=.* cannot be read: not UTF-8 text"):
        load(AppSettings)


@pytest.mark.parametrize("name", ["APP_URL", "PUBLIC_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "http://app:8000",
        "https://",
        "https://app/",
        "https://app/path",
        "https://app?x",
        "https://app#x",
        "https://app@evil",
        "https://app\\evil",
        "https://app evil",
        "app:8000",
    ],
)
def test_addresses_of_the_app_are_https_origins(
    tls_environment: dict[str, str], set_environment: SetEnvironment, name: str, url: str
) -> None:
    urls = {"APP_URL": "https://app:8000", "PUBLIC_URL": "https://localhost:8000"}
    set_environment(tls_environment | urls | {name: url})
    with pytest.raises(ServiceError, match=rf"^{name}="):
        load(CallbackSettings)


@given(
    secret=st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    ending=st.sampled_from(["", "\n", "\r\n"]),
)
def test_a_file_gives_its_text_without_the_trailing_newline(
    tmp_path_factory: pytest.TempPathFactory, secret: str, ending: str
) -> None:
    path = tmp_path_factory.mktemp("secret") / "key"
    path.write_bytes((secret + ending).encode())
    assert settings_module._read("KEY_FILE", str(path)) == secret
