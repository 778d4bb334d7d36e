from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from app.core import revision, upgrade
from app.core.errors import MigrationError
from app.core.migrate import BEGIN, LOCK, migrate
from app.core.models import Base
from app.core.revision import current_revisions, head_revision
from app.core.upgrade import alembic_config
from tests.integration.catalog import catalog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alembic.config import Config
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine


REVISIONS = [
    script.revision for script in reversed(list(ScriptDirectory.from_config(alembic_config()).walk_revisions()))
]


async def found(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return await connection.run_sync(current_revisions)


async def run(engine: AsyncEngine, step: Callable[[Config, str], None], target: str) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: step(alembic_config(sync), target))


async def test_the_way_down_and_up_again(migrated: AsyncEngine) -> None:
    assert await found(migrated) == [head_revision()]
    before = await catalog(migrated)
    await run(migrated, command.downgrade, "base")
    assert await catalog(migrated) == set()
    await run(migrated, command.upgrade, "head")
    assert await catalog(migrated) == before


@pytest.mark.parametrize("step", REVISIONS)
async def test_each_step_can_be_taken_back(engine: AsyncEngine, step: str) -> None:
    await run(engine, command.upgrade, step)
    after = await catalog(engine)
    await run(engine, command.downgrade, "-1")
    before = await catalog(engine)
    assert after != before
    await run(engine, command.upgrade, step)
    assert await catalog(engine) == after


async def test_alembic_finds_nothing_to_migrate(migrated: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))

    async with migrated.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_the_models_are_what_the_migrations_make(engine: AsyncEngine, migrated: AsyncEngine) -> None:
    # Alembic compares neither check constraints nor the rules of foreign keys; PostgreSQL's own words tell all.
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    assert await catalog(engine) == await catalog(migrated)


async def test_many_that_start_together_migrate_once(engine: AsyncEngine) -> None:
    with capture_logs() as entries:
        await asyncio.gather(*(migrate(engine, lock_timeout=20) for _ in range(10)))
    done = [entry for entry in entries if entry["event"] == "Migrations completed successfully"]
    assert len(done) == 10
    assert [entry["before"] for entry in done].count(None) == 1
    assert {entry["after"] for entry in done} == {head_revision()}
    begun = [(entry["before"], entry["after"]) for entry in entries if entry["event"] == BEGIN]
    assert begun == [(None, head_revision())]


async def test_waits_no_longer_than_told_for_another_that_migrates(engine: AsyncEngine) -> None:
    async with engine.connect() as other:
        await other.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        with pytest.raises(DBAPIError, match="lock timeout"):
            await migrate(engine, lock_timeout=0.1)
    await migrate(engine, lock_timeout=10)


async def test_leaves_no_lock_behind(engine: AsyncEngine) -> None:
    await migrate(engine, lock_timeout=10)
    async with engine.connect() as connection:
        free = await connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK})
    assert free is True


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("op.drop_table('nope')", 'table "nope" does not exist. SQL: DROP TABLE nope'),
        ("op.add_column('nope', sa.Column('x', sa.Text()))", 'relation "nope" does not exist. SQL: ALTER TABLE nope'),
        ("op.nope()", "module 'alembic.op' has no attribute 'nope'."),
    ],
)
async def test_a_migration_that_fails_is_named(
    migrated: AsyncEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, statement: str, reason: str
) -> None:
    copy = tmp_path / "migrations"
    shutil.copytree(revision.MIGRATIONS, copy)
    file = copy / "versions" / "9999_fails.py"
    file.write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision, down_revision = '9999', '{head_revision()}'\ndef upgrade():\n    {statement}\n"
    )
    for module in (revision, upgrade):
        monkeypatch.setattr(module, "MIGRATIONS", copy)
    with pytest.raises(MigrationError) as caught:
        await migrate(migrated, lock_timeout=5)
    assert str(caught.value).startswith(f"Migration 9999 ({file}, line 5) failed: {reason}")
