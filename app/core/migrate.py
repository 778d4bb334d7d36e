"""Brings the database to the newest revision, once, however many processes start."""

from __future__ import annotations

from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import BigInteger, Connection, bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine

LOCK = 0x6461_7368_7461_6D01
"""Number of the advisory lock: "dashtam" in ASCII, and 1. The same in every process that migrates a database."""

log = structlog.get_logger(__name__)


def alembic_config(connection: Connection | None = None) -> Config:
    """Point Alembic at the migrations beside this module."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def head_revision() -> str | None:
    """Return the newest revision; None if there is no migration."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


async def migrate(engine: AsyncEngine, *, lock_timeout: float) -> None:
    """Migrate to the newest revision, or wait `lock_timeout` seconds at most until another process has done so.

    The engine must not pool: the lock is released with its session, whatever happens.
    """
    async with engine.connect() as connection:
        await connection.execute(
            text("SELECT set_config('lock_timeout', :limit, false)"), {"limit": f"{lock_timeout * 1000:.0f}"}
        )
        lock = text("SELECT pg_advisory_lock(:lock)").bindparams(bindparam("lock", LOCK, BigInteger))
        await connection.execute(lock)
        await connection.commit()
        before, after = await connection.run_sync(_upgrade)
        await connection.commit()
    log.info("Migrations completed successfully", before=before, after=after)


def current_revision(connection: Connection) -> str | None:
    """Return the database's revision; None if nothing was migrated yet."""
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> tuple[str | None, str | None]:
    before = current_revision(connection)
    command.upgrade(alembic_config(connection), "head")
    return before, current_revision(connection)
