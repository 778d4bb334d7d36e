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

from app.core.errors import ServiceError

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
        before, after = await connection.run_sync(_upgrade, environment)
        await connection.commit()
    log.info("Migrations completed successfully", before=before, after=after)


def current_revision(connection: Connection) -> str | None:
    """Return the database's revision; None if nothing was migrated yet."""
    return MigrationContext.configure(connection).get_current_revision()


def require_known(connection: Connection, environment: str) -> None:
    """Refuse a database that another branch's code, or a newer version's, has migrated: this one's can't go on."""
    known = {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}
    unknown = sorted(set(MigrationContext.configure(connection).get_current_heads()) - known)
    if unknown:
        raise ServiceError(
            f"The database is at revision {', '.join(unknown)}, which this checkout doesn't have (its newest is"
            f" {head_revision()}): another branch or a newer version migrated it. Either check out that branch;"
            f" or restore older data, `./dashtam snapshot list {environment}` lists it;"
            f" or delete the data: `./dashtam destroy {environment}`, then `./dashtam up {environment}`"
        )


def _upgrade(connection: Connection, environment: str) -> tuple[str | None, str | None]:
    require_known(connection, environment)
    before = current_revision(connection)
    command.upgrade(alembic_config(connection), "head")
    return before, current_revision(connection)
