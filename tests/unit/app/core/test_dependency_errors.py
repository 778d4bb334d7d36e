from __future__ import annotations

import errno
import socket
import ssl

import asyncpg  # type: ignore[import-untyped]
import pytest
from redis import exceptions as redis
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.core.dependency_errors import Failure, explain, is_outage

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
        (
            asyncpg.LockNotAvailableError(SECRET),
            Failure(
                "another session holds a lock: it migrates too, or it uses a table that a migration changes",
                permanent=True,
            ),
        ),
        (asyncpg.CannotConnectNowError(SECRET), Failure("it is starting up or shutting down")),
        (redis.BusyLoadingError(SECRET), Failure("it is starting up or shutting down")),
        (asyncpg.TooManyConnectionsError(SECRET), Failure("all its connections are in use")),
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


class DriverError(Exception):
    """What the driver raised."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__()
        self.sqlstate = sqlstate


def of(kind: type[DBAPIError], sqlstate: str | None, *, invalidated: bool = False) -> DBAPIError:
    return kind("SELECT 1", {}, DriverError(sqlstate), connection_invalidated=invalidated)


@pytest.mark.parametrize(
    "error",
    [
        PoolTimeoutError(),
        of(DBAPIError, "08003"),
        of(DBAPIError, "53300"),
        of(DBAPIError, "57P01"),
        of(DBAPIError, "57P03"),
        of(DBAPIError, None, invalidated=True),
        of(InterfaceError, None),
        of(OperationalError, None),
        redis.ConnectionError(),
        redis.BusyLoadingError(),
        redis.AuthenticationError(),
        redis.TimeoutError(),
        redis.ReadOnlyError(),
        redis.OutOfMemoryError(),
        redis.ResponseError("MISCONF Errors writing to the AOF file: No space left on device"),
        redis.ResponseError("Command # 1 (SET a b) of pipeline caused error: MISCONF Errors writing to the AOF file"),
        ConnectionRefusedError(),
        BrokenPipeError(),
        TimeoutError(),
        socket.gaierror(1, ""),
        ssl.SSLError(1, ""),
        OSError(errno.EHOSTUNREACH, ""),
        OSError("Multiple exceptions: [Errno 111], [Errno 101]"),
    ],
)
def test_outages(error: Exception) -> None:
    assert is_outage(error)


@pytest.mark.parametrize(
    "error",
    [
        of(DBAPIError, "40P01"),
        of(DBAPIError, None),
        of(IntegrityError, "23505"),
        of(ProgrammingError, "42P01"),
        redis.ResponseError("WRONGTYPE"),
        redis.DataError(),
        FileNotFoundError(errno.ENOENT, "", "/nowhere"),
        PermissionError(errno.EACCES, "", "/secret"),
        OSError(errno.EBADF, ""),
        ValueError(),
    ],
)
def test_faults_of_the_code(error: Exception) -> None:
    assert not is_outage(error)
