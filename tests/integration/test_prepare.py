from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from structlog.testing import capture_logs

from app.core import database
from app.core.errors import ServiceError
from app.core.migrate import BEGIN, LOCK
from app.core.revision import current_revisions, head_revision
from app.run.prepare import prepare

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.core.settings import AppSettings


async def test_prepares_an_empty_database(empty: AppSettings, engine: AsyncEngine) -> None:
    with capture_logs() as entries:
        await prepare(empty)
    assert [entry["event"] for entry in entries] == [BEGIN, "Migrations completed successfully"]
    async with engine.connect() as connection:
        assert await connection.run_sync(current_revisions) == [head_revision()]


async def test_many_may_start_together(empty: AppSettings) -> None:
    await asyncio.gather(*(prepare(empty) for _ in range(5)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"database_password": SecretStr("hush")}, "Cannot use PostgreSQL at {database}: it refuses the user or the"),
        ({"database_user": "nobody"}, "Cannot use PostgreSQL at {database}: it refuses the user or the password"),
        ({"database_name": "nothing"}, "Cannot use PostgreSQL at {database}: it has no such database"),
        ({"redis_password": SecretStr("hush")}, "Cannot use Redis at {redis}: it refuses the user or the password"),
        ({"redis_user": "nobody"}, "Cannot use Redis at {redis}: it refuses the user or the password"),
        ({"database_port": 1}, "PostgreSQL at {host}:1 is not ready after 1 s: connection refused"),
        ({"redis_port": 1}, "Redis at {host}:1 is not ready after 1 s: connection refused"),
    ],
)
async def test_says_what_cannot_be_used(empty: AppSettings, change: dict[str, object], message: str) -> None:
    host = empty.database_host if "PostgreSQL" in message else empty.redis_host
    expected = message.format(
        database=f"{empty.database_host}:{empty.database_port}",
        redis=f"{empty.redis_host}:{empty.redis_port}",
        host=host,
    )
    with pytest.raises(ServiceError) as caught:
        await prepare(empty.model_copy(update={"startup_timeout": 1.0, **change}))
    assert expected in str(caught.value)
    assert "hush" not in str(caught.value)


async def test_leaves_nothing_open_where_one_part_refuses_while_the_other_answers(empty: AppSettings) -> None:
    wrong = empty.model_copy(update={"database_password": SecretStr("hush")})
    # As often as the two end at the same moment once.
    for _ in range(50):
        with pytest.raises(ServiceError):
            await prepare(wrong)
    gc.collect()


async def test_says_that_another_is_migrating(empty: AppSettings, engine: AsyncEngine) -> None:
    async with engine.connect() as other:
        await other.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        with pytest.raises(
            ServiceError, match=r"Cannot migrate PostgreSQL at .*: another session holds a lock: it migrates too"
        ):
            await prepare(empty.model_copy(update={"startup_timeout": 1.0}))


async def test_waits_for_another_that_migrates_as_long_as_it_says(
    empty: AppSettings, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "COMMAND_TIMEOUT", 0.1)
    async with engine.connect() as other:
        await other.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        with pytest.raises(ServiceError, match="another session holds a lock: it migrates too"):
            await prepare(empty.model_copy(update={"startup_timeout": 1.0}))


@pytest.mark.parametrize(
    "revisions", [["abc123"], ["abc123", "0001"], [head_revision(), "abc123"], ["abc123", "def456"]]
)
async def test_a_revision_of_another_branch_is_named(
    empty: AppSettings, engine: AsyncEngine, revisions: list[str]
) -> None:
    await prepare(empty)
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM alembic_version"))
        for revision in revisions:
            await connection.execute(text("INSERT INTO alembic_version VALUES (:it)"), {"it": revision})
    with pytest.raises(ServiceError) as raised:
        await prepare(empty)
    unknown = ", ".join(one for one in revisions if not one.startswith("0"))
    assert f"revision {unknown}, which this checkout doesn't have (its newest is {head_revision()})" in str(
        raised.value
    )
