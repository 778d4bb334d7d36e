from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.core.dependency_errors import KINDS, is_outage
from tests.integration.databases import engine_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.core.settings import AppSettings


async def failure_of(engine: AsyncEngine, statement: str = "SELECT 1") -> Exception:
    with pytest.raises(KINDS) as caught:
        async with engine.connect() as connection:
            await connection.execute(text(statement))
    return caught.value


async def test_a_connection_that_the_server_ends(engine: AsyncEngine) -> None:
    assert is_outage(await failure_of(engine, "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(10)"))


async def test_a_server_that_has_ended_the_connection_meanwhile(empty: AppSettings, engine: AsyncEngine) -> None:
    async with engine.connect() as connection, engine_of(empty).connect() as other:
        pid = await connection.scalar(text("SELECT pg_backend_pid()"))
        await other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        with pytest.raises(KINDS) as caught:
            await connection.execute(text("SELECT 1"))
        await connection.invalidate()
    assert is_outage(caught.value)


async def test_a_pool_without_a_connection_to_spare(empty: AppSettings) -> None:
    small = engine_of(empty, pool_size=1, max_overflow=0, pool_timeout=0.05)
    async with small.connect():
        assert is_outage(await failure_of(small))
    await small.dispose()


async def test_a_server_that_does_not_listen(empty: AppSettings) -> None:
    assert is_outage(await failure_of(engine_of(empty.model_copy(update={"database_port": 1}))))


async def test_a_statement_that_is_wrong_is_none(engine: AsyncEngine) -> None:
    error = await failure_of(engine, "SELECT * FROM nowhere")
    assert isinstance(error, ProgrammingError)
    assert not is_outage(error)
