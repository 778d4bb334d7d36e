"""The cache: one Redis client per process, over verified TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

if TYPE_CHECKING:
    from pathlib import Path

    from app.core.settings import AppSettings

TIMEOUT = 2.0
"""Seconds for a connection and for one answer."""


def create_cache(  # noqa: PLR0913 - plain values, each named by the caller
    *, host: str, port: int, db: int, user: str, password: str, ca_file: Path
) -> Redis:
    """Make a client; nothing connects yet."""
    return Redis(
        host=host,
        port=port,
        db=db,
        username=user,
        password=password,
        ssl=True,
        ssl_cert_reqs="required",
        ssl_check_hostname=True,
        ssl_ca_certs=str(ca_file),
        socket_connect_timeout=TIMEOUT,
        socket_timeout=TIMEOUT,
        health_check_interval=30,
        max_connections=20,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.05), retries=2),
        client_name="dashtam",
    )


def cache_for(settings: AppSettings) -> Redis:
    """Bind the settings to a client."""
    return create_cache(
        host=settings.redis_host,
        port=settings.redis_port,
        db=settings.redis_db,
        user=settings.redis_user,
        password=settings.redis_password.get_secret_value(),
        ca_file=settings.tls_ca_file,
    )
