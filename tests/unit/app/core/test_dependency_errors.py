from __future__ import annotations

import socket
import ssl

import asyncpg  # type: ignore[import-untyped]
import pytest
from redis import exceptions as redis
from sqlalchemy.exc import OperationalError

from app.core.dependency_errors import Failure, explain

SECRET = "user:hush@host"


def certificate_error() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, SECRET)
    error.verify_message = "certificate has expired"
    return error


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (asyncpg.InvalidPasswordError(SECRET), Failure("it refuses the user or the password", permanent=True)),
        (redis.AuthenticationError(SECRET), Failure("it refuses the user or the password", permanent=True)),
        (asyncpg.InvalidCatalogNameError(SECRET), Failure("it has no such database", permanent=True)),
        (asyncpg.DiskFullError(SECRET), Failure("no space is left on its disk")),
        (asyncpg.OutOfMemoryError(SECRET), Failure("it has no memory to spare")),
        (redis.OutOfMemoryError(SECRET), Failure("it has no memory to spare")),
        (
            redis.ResponseError(f"MISCONF Errors writing to the AOF file: {SECRET}"),
            Failure("it can't write to its disk, so it takes no changes; its log says why"),
        ),
        (
            asyncpg.UndefinedTableError(SECRET),
            Failure("it lacks a table: not all migrations were run", permanent=True),
        ),
        (redis.NoPermissionError(SECRET), Failure("the user may not do this", permanent=True)),
        (certificate_error(), Failure("its certificate is refused: certificate has expired", permanent=True)),
        (asyncpg.LockNotAvailableError(SECRET), Failure("another process holds the migration lock", permanent=True)),
        (asyncpg.CannotConnectNowError(SECRET), Failure("it is starting up or shutting down")),
        (redis.BusyLoadingError(SECRET), Failure("it is starting up or shutting down")),
        (asyncpg.TooManyConnectionsError(SECRET), Failure("it has no connection to spare")),
        (ssl.SSLError(1, SECRET), Failure("the TLS handshake failed")),
        (socket.gaierror(1, SECRET), Failure("its name does not resolve")),
        (ConnectionRefusedError(SECRET), Failure("connection refused")),
        (TimeoutError(SECRET), Failure("no answer in time")),
        (redis.TimeoutError(SECRET), Failure("no answer in time")),
        (redis.ConnectionError(SECRET), Failure("the connection failed")),
        (OSError(SECRET), Failure("the connection failed")),
        (ValueError(SECRET), Failure("unexpected failure (ValueError)", expected=False)),
    ],
)
def test_reason(error: Exception, failure: Failure) -> None:
    assert explain(error) == failure


def test_looks_through_what_drivers_wrap_around() -> None:
    wrapped = OperationalError("SELECT 1", {}, Exception(SECRET))
    wrapped.__cause__ = redis.ConnectionError(SECRET)
    wrapped.__cause__.__context__ = ConnectionRefusedError(SECRET)
    assert explain(wrapped) == Failure("connection refused")
