"""The cache: one Redis client per process, over verified TLS."""

from __future__ import annotations

from redis.asyncio import BlockingConnectionPool, Redis, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff, NoBackoff

from app.core.settings import AppSettings

TIMEOUT = 2.0
"""Seconds for a connection and for one answer."""

POOL_TIMEOUT = 20.0
"""Seconds for a free place in the pool."""

AGAIN = Retry(ExponentialBackoff(cap=0.2, base=0.05), retries=2)
ONCE = Retry(NoBackoff(), retries=0)


class RepeatedConnection(SSLConnection):
    """Repeats its start and its health check, and is replaced where it ended while it was idle; repeats nothing else.

    A command without an answer may have been executed: repeated, GETDEL finds nothing, and INCR counts twice.
    """

    async def connect(self) -> None:
        """Connect, unless it is connected; the pool calls it before each use."""
        # The pool itself overlooks an end where the server may send notifications, and a reset everywhere.
        if self._reader and (self._reader.at_eof() or self._reader.exception()):
            await self.disconnect(nowait=True)
        await AGAIN.call_with_retry(super().connect, _pass)

    async def check_health(self) -> None:
        """Ping, where it was idle for long, and connect again without an answer."""
        await AGAIN.call_with_retry(super().check_health, _pass)


async def _pass(_error: Exception) -> None:
    """Leave an error to what raised it: that has closed the connection."""


def create_cache(settings: AppSettings) -> Redis:
    """Make a client; nothing connects yet."""
    pool = BlockingConnectionPool(
        connection_class=RepeatedConnection,
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
        retry=ONCE,
        client_name="dashtam",
    )
    return Redis.from_pool(pool)
