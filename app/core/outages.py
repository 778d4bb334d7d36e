"""Tells an outage of the database or the cache from a fault of the code, which may raise the same types."""

from __future__ import annotations

import errno
import socket
import ssl

from redis import exceptions as redis
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.core.dependency_errors import cannot_keep

KINDS: tuple[type[Exception], ...] = (redis.RedisError, DBAPIError, PoolTimeoutError, OSError)
"""What outages are raised as; not everything of these types is one."""

_STATES = ("08", "53", "57")
"""Classes of SQLSTATE: connection exception, insufficient resources, operator intervention (PostgreSQL, appendix A)."""

_DRIVERS: tuple[type[Exception], ...] = (
    PoolTimeoutError,
    InterfaceError,
    OperationalError,
    redis.ConnectionError,
    redis.TimeoutError,
    redis.ReadOnlyError,
    redis.OutOfMemoryError,
)
_NETWORK: tuple[type[Exception], ...] = (ConnectionError, TimeoutError, socket.gaierror, ssl.SSLError)
_ERRNOS = {errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL}


def is_outage(error: Exception) -> bool:
    """Tell whether an error means that the database or the cache can't be used for the moment."""
    if isinstance(error, (*_DRIVERS, *_NETWORK)) or cannot_keep(error):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or str(getattr(error.orig, "sqlstate", None)).startswith(_STATES)
    # Where a name has several addresses and none answers, asyncio gives all reasons in one error that has no number.
    return isinstance(error, OSError) and error.filename is None and (error.errno is None or error.errno in _ERRNOS)
