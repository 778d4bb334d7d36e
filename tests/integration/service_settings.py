"""The service's own settings, for an app in this process that uses an environment's database and cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import make_url

from app.core.settings import AppSettings
from tests.app_environment import TOKEN_KEYS

if TYPE_CHECKING:
    from tests.conftest import Endpoints


def settings_for(endpoints: Endpoints) -> AppSettings:
    """Return the settings.

    Args:
        endpoints: The environment as this process reaches it.
    """
    database, redis = make_url(endpoints.database_dsn), make_url(endpoints.redis_dsn)
    return AppSettings.model_validate(
        {
            "database_host": database.host,
            "database_port": database.port,
            "database_name": database.database,
            "database_user": database.username,
            "database_password": database.password,
            "redis_host": redis.host,
            "redis_port": redis.port,
            "redis_db": int(redis.database or 0),
            "redis_user": redis.username,
            "redis_password": redis.password,
            "secret_key": "k" * 32,
            "providers": "[]",
            "token_keys": TOKEN_KEYS,
            "public_url": endpoints.app_url,
            "oauth_redirect_uri": endpoints.callback_url,
            "startup_timeout": 20,
            "tls_ca_file": endpoints.ca_file,
            "tls_certificate_file": endpoints.ca_file,
            "tls_key_file": endpoints.ca_file,
        }
    )
