"""The cache: one Redis client per process, over verified TLS."""

from __future__ import annotations

from redis.asyncio import BlockingConnectionPool, Redis, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from app.core.settings import AppSettings

TIMEOUT = 2.0
"""Seconds for a connection and for one answer."""

POOL_TIMEOUT = 20.0
"""Seconds for a free place in the pool."""


def create_cache(settings: AppSettings) -> Redis:
    """Make a client; nothing connects yet."""
    pool = BlockingConnectionPool(
        connection_class=SSLConnection,
        timeout=POOL_TIMEOUT,
        host=settings.redis_host,
        port=settings.redis_port,
        db=settings.redis_db,
        username=settings.redis_user,
        password=settings.redis_password.get_secret_value(),
        ssl_cert_reqs="required",
        ssl_check_hostname=True,
        ssl_ca_certs=str(settings.tls_ca_file),
        socket_connect_timeout=TIMEOUT,
        socket_timeout=TIMEOUT,
        health_check_interval=30,
        max_connections=20,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.05), retries=2),
        client_name="dashtam",
    )
    return Redis.from_pool(pool)
