"""Why the database or the cache cannot be used, in words that hold no secret.

The texts of the drivers' exceptions can hold addresses, statements and users; so a reason is chosen by type.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg  # type: ignore[import-untyped]
from redis import exceptions as redis

if TYPE_CHECKING:
    from collections.abc import Iterator

REASONS: tuple[tuple[tuple[type[BaseException], ...], str, bool], ...] = (
    (
        (
            asyncpg.InvalidPasswordError,
            asyncpg.InvalidAuthorizationSpecificationError,
            redis.AuthenticationError,
        ),
        "it refuses the user or the password",
        True,
    ),
    ((asyncpg.InvalidCatalogNameError,), "it has no such database", True),
    ((asyncpg.UndefinedTableError,), "it lacks a table: not all migrations were run", True),
    ((asyncpg.CannotConnectNowError, redis.BusyLoadingError), "it is starting up or shutting down", False),
    ((asyncpg.TooManyConnectionsError, redis.MaxConnectionsError), "it has no connection to spare", False),
    ((asyncpg.DiskFullError,), "no space is left on its disk", False),
    ((asyncpg.OutOfMemoryError, redis.OutOfMemoryError), "it has no memory to spare", False),
    ((asyncpg.LockNotAvailableError,), "another process holds the migration lock", True),
    ((redis.NoPermissionError,), "the user may not do this", True),
    ((ssl.SSLError,), "the TLS handshake failed", False),
    ((socket.gaierror,), "its name does not resolve", False),
    ((ConnectionRefusedError,), "connection refused", False),
    ((TimeoutError, redis.TimeoutError), "no answer in time", False),
    ((OSError, redis.ConnectionError), "the connection failed", False),
)


@dataclass(frozen=True)
class Failure:
    """Why a service cannot be used."""

    reason: str
    permanent: bool = False
    expected: bool = True


def explain(error: BaseException) -> Failure:
    """Find the reason of a failure."""
    for cause in reversed(list(_chain(error))):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Failure(f"its certificate is refused: {cause.verify_message}", permanent=True)
        if cannot_keep(cause):
            return Failure("it can't write to its disk, so it takes no changes; its log says why")
        for types, reason, permanent in REASONS:
            if isinstance(cause, types):
                return Failure(reason, permanent)
    return Failure(f"unexpected failure ({type(error).__name__})", expected=False)


def cannot_keep(error: BaseException) -> bool:
    """Tell whether Redis refused a change because its disk takes none: its MISCONF, for which there is no type."""
    return isinstance(error, redis.ResponseError) and "MISCONF" in str(error)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
