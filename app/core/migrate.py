"""Brings the database to the newest revision, once, however many processes start."""

from __future__ import annotations

import structlog
from sqlalchemy import BigInteger, Connection, bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.revision import current_revision, head_revision

LOCK = 0x6461_7368_7461_6D01
"""Number of the advisory lock: "dashtam" in ASCII, and 1. The same in every process that migrates a database."""

log = structlog.get_logger(__name__)


async def migrate(engine: AsyncEngine, *, lock_timeout: float, environment: str = "dev") -> None:
    """Migrate to the newest revision, or wait `lock_timeout` seconds at most until another process has done so.

    The engine must not pool: the lock is released with its session, whatever happens. `environment` is for messages.
    """
    async with engine.connect() as connection:
        await connection.execute(
            text("SELECT set_config('lock_timeout', :limit, false)"), {"limit": f"{lock_timeout * 1000:.0f}"}
        )
        lock = text("SELECT pg_advisory_lock(:lock)").bindparams(bindparam("lock", LOCK, BigInteger))
        await connection.execute(lock)
        await connection.commit()
        before = await connection.run_sync(current_revision)
        after = await connection.run_sync(_upgraded, environment) if before != head_revision() else before
        await connection.commit()
    log.info("Migrations completed successfully", before=before, after=after)


def _upgraded(connection: Connection, environment: str) -> str | None:
    from app.core.upgrade import upgrade  # noqa: PLC0415 - slow to import

    upgrade(connection, environment)
    return current_revision(connection)
