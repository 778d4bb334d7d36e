from __future__ import annotations

import errno
import socket
import ssl

import pytest
from redis import exceptions as redis
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.core.outages import is_outage


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
