"""Brings the database to the newest revision, once, however many processes start."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import BigInteger, Connection, bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import ServiceError
from app.core.revision import current_revisions, head_revision, revisions

LOCK = 0x6461_7368_7461_6D01
"""Number of the advisory lock: "dashtam" in ASCII, and 1. The same in every process that migrates a database."""

BEGIN = "Migrating the database"
"""What is logged before a migration, which may take long; `./dashtam` looks for it."""

log = structlog.get_logger(__name__)


async def migrate(engine: AsyncEngine, *, lock_timeout: float) -> None:
    """Migrate to the newest revision, or wait `lock_timeout` seconds at most until another process has done so.

    It waits as long for each table that a migration changes and another session uses. The engine must not pool: the
    lock is released with its session, whatever happens.
    """
    async with engine.connect() as connection:
        await connection.execute(
            text("SELECT set_config('lock_timeout', :limit, false)"), {"limit": f"{lock_timeout * 1000:.0f}"}
        )
        lock = text("SELECT pg_advisory_lock(:lock)").bindparams(bindparam("lock", LOCK, BigInteger))
        await connection.execute(lock)
        await connection.commit()
        before = await connection.run_sync(current_revisions)
        _require_known(before)
        if before != [head_revision()]:
            log.info(BEGIN, before=", ".join(before) or None, after=head_revision())
            await connection.run_sync(_upgrade)
        await connection.commit()
    log.info("Migrations completed successfully", before=", ".join(before) or None, after=head_revision())


def _require_known(current: Sequence[str]) -> None:
    if unknown := sorted({*current} - {*revisions()}):
        raise ServiceError(
            f"The database is at revision {', '.join(unknown)}, which this checkout doesn't have (its newest is"
            f" {head_revision()}): another branch or a newer version of the service migrated it"
        )


def _upgrade(connection: Connection) -> None:
    from app.core.upgrade import upgrade  # noqa: PLC0415 - slow to import

    upgrade(connection)
