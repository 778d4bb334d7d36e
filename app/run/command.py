"""Commands that run once in the app's container, beside the service, and print their answer as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy import NullPool
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.core import logs
from app.core.database import create_engine
from app.core.dependency_errors import explain
from app.core.errors import ServiceError
from app.core.settings import AppSettings, load
from app.tokens.keys import DataKeys
from app.tokens.vault import MasterKeys, UnreadableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from sqlalchemy.ext.asyncio import AsyncEngine

    Command = Callable[[async_sessionmaker[AsyncSession], DataKeys], Awaitable[Mapping[str, object]]]


def run(command: Command, failed: str) -> None:
    """Run a command on this environment's database, print its answer, or exit with `failed` and a known reason."""
    try:
        print(json.dumps(asyncio.run(_answer(command))))  # noqa: T201 - the command's answer
    except (ServiceError, UnreadableError) as error:
        sys.exit(f"{failed}: {error}")


@asynccontextmanager
async def environment(**changes: object) -> AsyncIterator[tuple[AppSettings, AsyncEngine]]:
    """Configure the logs, and give the environment's settings, with changes, and an engine without a pool."""
    settings = load(AppSettings).model_copy(update=changes)
    logs.configure(debug=settings.debug)
    engine = create_engine(settings, poolclass=NullPool)
    try:
        yield settings, engine
    finally:
        await engine.dispose()


async def _answer(command: Command) -> Mapping[str, object]:
    async with environment() as (settings, engine):
        keys = DataKeys(MasterKeys.parse(settings.token_keys.get_secret_value()))
        try:
            return await command(async_sessionmaker(engine, expire_on_commit=False), keys)
        except (OSError, SQLAlchemyError) as error:
            if not (failure := explain(error)).expected:
                raise
            where = f"{settings.database_host}:{settings.database_port}"
            raise ServiceError(f"PostgreSQL at {where}: {failure.reason}") from error
