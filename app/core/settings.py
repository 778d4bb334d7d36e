"""Typed settings from the environment, with secrets from files; `app.run` reads a few variables by itself.

Each secret is given as `<NAME>` or, as in the official Docker images, as `<NAME>_FILE`, the path of a file that
holds it. pydantic-settings itself reads secrets only from one directory of files named after the fields.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, FilePath, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core.errors import ServiceError

Name = Annotated[str, Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65535)]
Secret = Annotated[SecretStr, Field(min_length=1)]
Origin = Annotated[str, Field(pattern=r"^https://[^/?#@\\\s]+$")]
RedirectUri = Annotated[str, Field(pattern=r"^(?i:https)://[^/?#@\\\s]+(?:/[^?#\\\s]*)?$")]
"""Not normalized: providers compare it character by character with what is registered (RFC 9700, section 4.1.3)."""


class Settings(BaseSettings):
    """What both servers need: each server's certificate, and the CA that verifies every other one."""

    model_config = SettingsConfigDict(frozen=True, hide_input_in_errors=True, extra="ignore")

    environment: Name = "development"  # shown on the pages
    debug: bool = False
    testing: bool = False
    tls_ca_file: FilePath
    tls_certificate_file: FilePath
    tls_key_file: FilePath
    drain_seconds: Annotated[float, Field(ge=0)] = 0  # to serve on, unready, after being told to stop
    edge_port: Port | None = None  # for an edge, whose connections begin with their client's address


class AppSettings(Settings):
    """What the app needs."""

    database_host: Name
    database_port: Port = 5432
    database_name: Name
    database_user: Name
    database_password: Secret
    redis_host: Name
    redis_port: Port = 6379
    redis_db: Annotated[int, Field(ge=0)] = 0
    redis_user: Name
    redis_password: Secret
    secret_key: Annotated[SecretStr, Field(min_length=32)]
    oauth_redirect_uri: RedirectUri
    providers: Secret  # see `app.providers.config`
    token_keys: Secret  # see `app.tokens.vault`
    public_url: Origin  # as browsers see it; sessions belong to it
    startup_timeout: Annotated[float, Field(gt=0)] = 60  # seconds, for the database and for the cache


class CallbackSettings(Settings):
    """What the callback server needs."""

    app_url: Origin
    public_url: Origin  # the app as browsers see it: a person is sent on to it, and nowhere else


SettingsT = TypeVar("SettingsT", bound=Settings)


def load(settings: type[SettingsT]) -> SettingsT:
    """Read the settings; one error names all that are missing or wrong, without the value of a secret."""
    try:
        return settings(**_from_files(settings))
    except ValidationError as error:
        faults = [_fault(settings, fault) for fault in error.errors(include_url=False, include_context=False)]
    raise ServiceError("; ".join(faults))


def _fault(settings: type[Settings], fault: ErrorDetails) -> str:
    field = str(fault["loc"][0])
    if fault["type"] == "missing":
        names = [field.upper(), f"{field.upper()}_FILE"][: 2 if _is_secret(settings, field) else 1]
        return f"{' or '.join(names)} is not set"
    value = "" if _is_secret(settings, field) else f"={fault['input']}"
    return f"{field.upper()}{value}: {fault['msg']}"


def _is_secret(settings: type[Settings], field: str) -> bool:
    return settings.model_fields[field].annotation is SecretStr


def _from_files(settings: type[Settings]) -> dict[str, Any]:
    """Read the secrets whose paths the environment gives."""
    secrets = [field for field in settings.model_fields if _is_secret(settings, field)]
    paths = {field: os.environ.get(f"{field.upper()}_FILE") for field in secrets}
    return {field: _read(field.upper(), path) for field, path in paths.items() if path is not None}


def _read(name: str, path: str) -> str:
    if name in os.environ:
        raise ServiceError(f"{name} and {name}_FILE are both set; set one of them")
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ServiceError(f"{name}_FILE={path} cannot be read: {reason}") from error
