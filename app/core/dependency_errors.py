"""Why a database, a cache or a provider can't be used, in words that hold no secret, and whether that is an outage.

The texts of the drivers' exceptions can hold addresses, statements and users; so a reason is chosen by type.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import asyncpg  # type: ignore[import-untyped]
from redis import exceptions as redis
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

REASONS: tuple[tuple[tuple[type[BaseException], ...], str, bool], ...] = (
    (
        (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError, redis.AuthenticationError),
        "it refuses the user or the password",
        True,
    ),
    ((asyncpg.InvalidCatalogNameError,), "it has no such database", True),
    ((asyncpg.UndefinedTableError,), "it lacks a table: not all migrations were run", True),
    ((asyncpg.CannotConnectNowError, redis.BusyLoadingError), "it is starting up or shutting down", False),
    (
        (asyncpg.TooManyConnectionsError, redis.MaxConnectionsError, PoolTimeoutError),
        "all its connections are in use",
        False,
    ),
    ((asyncpg.DiskFullError,), "no space is left on its disk", False),
    ((asyncpg.OutOfMemoryError, redis.OutOfMemoryError), "it has no memory to spare", False),
    (
        (asyncpg.LockNotAvailableError,),
        "another session holds a lock: it migrates too, or it uses a table that a migration changes",
        True,
    ),
    ((redis.NoPermissionError,), "the user may not do this", True),
    ((ssl.SSLError,), "the TLS handshake failed", False),
    ((socket.gaierror,), "its name does not resolve", False),
    ((ConnectionRefusedError,), "connection refused", False),
    ((TimeoutError, redis.TimeoutError), "no answer in time", False),
    ((OSError, redis.ConnectionError), "the connection failed", False),
)
"""Exception types, the reason that they stand for, and whether it is permanent."""

KINDS: tuple[type[Exception], ...] = (redis.RedisError, DBAPIError, PoolTimeoutError, OSError)
"""What outages are raised as; not every error of these types is an outage, see `is_outage`."""

_SQLSTATES = ("08", "53", "57")
"""Classes of SQLSTATE: connection exception, insufficient resources, operator intervention (PostgreSQL, appendix A)."""

_OUTAGES: tuple[type[Exception], ...] = (
    PoolTimeoutError,
    InterfaceError,
    OperationalError,
    redis.ConnectionError,
    redis.TimeoutError,
    redis.ReadOnlyError,
    redis.OutOfMemoryError,
    ConnectionError,
    TimeoutError,
    socket.gaierror,
    ssl.SSLError,
)
_ERRNOS = {errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL}


@dataclass(frozen=True)
class Failure:
    """Why a dependency cannot be used."""

    reason: str
    permanent: bool = False
    """Whether waiting is useless: only another configuration would help."""
    expected: bool = True
    """Whether it is one of the known failures; any other is rather a fault of the code."""


def explain(error: BaseException) -> Failure:
    """Return the reason found deepest in the chain of causes, where drivers put what really happened."""
    for cause in reversed(list(_chain(error))):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Failure(f"its certificate is refused: {cause.verify_message}", permanent=True)
        if _cannot_persist(cause):
            return Failure("it can't write to its disk, so it takes no changes; its log says why")
        for types, reason, permanent in REASONS:
            if isinstance(cause, types):
                return Failure(reason, permanent)
    return Failure(f"unexpected failure ({type(error).__name__})", expected=False)


def is_outage(error: Exception) -> bool:
    """Return whether the database or the cache can't be used at the moment; otherwise it is a fault of the code."""
    if isinstance(error, _OUTAGES) or _cannot_persist(error):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or str(getattr(error.orig, "sqlstate", None)).startswith(_SQLSTATES)
    # Where a name has several addresses and none answers, asyncio gives all reasons in one error that has no number.
    return isinstance(error, OSError) and error.filename is None and (error.errno is None or error.errno in _ERRNOS)


def _cannot_persist(error: BaseException) -> bool:
    """Return whether Redis refused a change because its disk takes none: its MISCONF, for which there is no type."""
    return isinstance(error, redis.ResponseError) and "MISCONF" in str(error)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
