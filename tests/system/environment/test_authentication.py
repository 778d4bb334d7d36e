"""PostgreSQL and Redis let in who has the password, over TLS, and let nobody administer them."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterable, Iterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg  # type: ignore[import-untyped]
import pytest
import redis
from pydantic import SecretStr

from tests.system.environments import Environment

PARTS = ("test", "further")
"""The environments that publish their ports."""

FORBIDDEN = (
    "CONFIG GET *",
    "CONFIG SET appendonly no",
    "ACL LIST",
    "ACL SETUSER someone on",
    "SHUTDOWN NOSAVE",
    "DEBUG SLEEP 0",
    "FLUSHALL",
    "FLUSHDB",
    "SWAPDB 0 1",
    "REPLICAOF NO ONE",
    "MODULE LIST",
    "MONITOR",
    "SAVE",
)

OF_THE_SANDBOX = (
    "GET sandbox:x",
    "SET sandbox:x 1",
    "DEL sandbox:x",
    "EXISTS sandbox:x",
    "EXPIRE sandbox:x 1",
    "RENAME sandbox:x mine",
    "COPY mine sandbox:x",
    "EVAL return(redis.call('GET',KEYS[1])) 1 sandbox:x",
)
"""What the service may not do."""

OF_THE_SERVICE = (
    "GET dashtam:x",
    "SET dashtam:x 1",
    "DEL sandbox:x dashtam:x",
    "KEYS *",
    "SCAN 0",
    "RANDOMKEY",
    "INFO",
    "FLUSHDB",
    "EVAL return(1) 0",
    "PUBLISH any 1",
    "CONFIG GET *",
    "ACL LIST",
)
"""What the sandbox may not do."""


@pytest.fixture(scope="module", params=PARTS)
def environment(request: pytest.FixtureRequest, every: dict[str, Environment]) -> Environment:
    """An environment that publishes its ports."""
    return every[request.param]


@pytest.fixture
def trust(environment: Environment) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=environment.outputs.ca_certificate)


@pytest.fixture
async def database(environment: Environment, trust: ssl.SSLContext) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(_bare(environment.outputs.database_dsn), ssl=trust)
    yield connection
    await connection.close()


@pytest.fixture
def cache(environment: Environment) -> Iterator[redis.Redis]:
    dsn = environment.outputs.redis_dsn
    assert dsn
    with redis.Redis.from_url(dsn.get_secret_value(), ssl_ca_data=environment.outputs.ca_certificate) as client:
        yield client


def _bare(dsn: SecretStr | None) -> str:
    """Return a DSN without its query: how TLS is verified is said apart."""
    assert dsn
    return urlunsplit(urlsplit(dsn.get_secret_value())._replace(query=""))


def _with_user(dsn: str, credentials: str) -> str:
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(netloc=f"{credentials}@{parts.hostname}:{parts.port}"))


async def test_postgres_refuses_plaintext(environment: Environment) -> None:
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="no encryption"):
        await asyncpg.connect(_bare(environment.outputs.database_dsn), ssl=False)


async def test_postgres_refuses_a_wrong_password(environment: Environment, trust: ssl.SSLContext) -> None:
    dsn = _with_user(_bare(environment.outputs.database_dsn), f"{environment.outputs.database.user}:wrong")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(dsn, ssl=trust)


async def test_postgres_keeps_passwords_as_scram(database: asyncpg.Connection) -> None:
    rows = await database.fetch("SELECT rolpassword FROM pg_authid WHERE rolcanlogin")
    assert rows
    assert all(row["rolpassword"].startswith("SCRAM-SHA-256$") for row in rows)
    assert await database.fetchval("SHOW password_encryption") == "scram-sha-256"


async def test_postgres_lets_nobody_in_without_tls_and_scram(database: asyncpg.Connection) -> None:
    rules = await database.fetch("SELECT type, auth_method, error FROM pg_hba_file_rules")
    assert {(rule["type"], rule["auth_method"], rule["error"]) for rule in rules} == {
        ("local", "scram-sha-256", None),
        ("hostssl", "scram-sha-256", None),
    }


async def test_postgres_speaks_a_current_tls(database: asyncpg.Connection) -> None:
    row = await database.fetchrow("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    assert row is not None
    assert (row["ssl"], row["version"]) == (True, "TLSv1.3")


@pytest.mark.parametrize("credentials", ["dashtam:wrong", "default:", ":", "someone:wrong"])
def test_redis_refuses_a_wrong_password(environment: Environment, credentials: str) -> None:
    _assert_kept_out(environment, credentials)


def test_redis_has_no_default_user(environment: Environment) -> None:
    _assert_kept_out(environment, f":{urlsplit(_bare(environment.outputs.redis_dsn)).password}")


def _assert_kept_out(environment: Environment, credentials: str) -> None:
    dsn = _with_user(_bare(environment.outputs.redis_dsn), credentials)
    with (
        redis.Redis.from_url(dsn, ssl_ca_data=environment.outputs.ca_certificate) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


def _answers(client: redis.Redis, commands: Iterable[str]) -> dict[str, str]:
    """Return what Redis says to each of some commands: the name of the error and its message, or that it was done."""
    answers = {}
    for command in commands:
        try:
            client.execute_command(*command.split())  # type: ignore[no-untyped-call]
        except redis.ResponseError as error:
            answers[command] = f"{type(error).__name__}: {error}"
        else:
            answers[command] = "done"
    return answers


def _allowed(client: redis.Redis, commands: Iterable[str]) -> dict[str, str]:
    """Return the answers to those commands that a user is not refused for want of permission."""
    found = _answers(client, commands)
    assert found
    return {command: said for command, said in found.items() if not said.startswith("NoPermissionError: ")}


def test_redis_lets_the_service_administer_nothing(cache: redis.Redis) -> None:
    # These are off in the server, whatever a user's permissions.
    assert set(_allowed(cache, FORBIDDEN)) == {"DEBUG SLEEP 0"}
    assert cache.ping()


@pytest.fixture
def sandbox(environment: Environment) -> Iterator[redis.Redis]:
    with _sandbox_of(environment, at=environment) as client:
        yield client


def _sandbox_of(environment: Environment, *, at: Environment) -> redis.Redis:
    """Return a client of one environment's Redis as the sandbox of another."""
    status, password = environment.execute("sandbox", "cat", "/run/secrets/redis-password")
    assert status == 0
    dsn = _with_user(_bare(at.outputs.redis_dsn), f"sandbox:{password}")
    return redis.Redis.from_url(dsn, ssl_ca_data=at.outputs.ca_certificate)


def test_redis_keeps_the_service_from_the_sandboxes_keys(cache: redis.Redis) -> None:
    assert _allowed(cache, OF_THE_SANDBOX) == {}


def test_redis_keeps_the_sandbox_from_everything_else(sandbox: redis.Redis) -> None:
    assert sandbox.ping()
    assert _allowed(sandbox, OF_THE_SERVICE) == {}


def test_redis_knows_the_sandbox_of_its_own_environment_alone(every: dict[str, Environment]) -> None:
    for one, other in (PARTS, reversed(PARTS)):
        with _sandbox_of(every[one], at=every[other]) as client, pytest.raises(redis.AuthenticationError):
            client.ping()
