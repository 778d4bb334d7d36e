from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from app.core.revision import revisions
from app.run import seed
from tests.integration.commands import ROTATION, SAMPLES, run

if TYPE_CHECKING:
    from app.core.settings import AppSettings

commands = pytest.mark.parametrize(
    ("module", "failed"),
    [(ROTATION, "The keys were not rotated: "), (SAMPLES, "The samples were not added: ")],
)


async def test_says_what_was_done(environ: dict[str, str]) -> None:
    done = await run(SAMPLES, environ)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"connections": len(seed.PEOPLE) * len(seed.ACCOUNTS)}


@commands
@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [("DATABASE_PORT", "1", "connection refused"), ("DATABASE_NAME", "nowhere", "no such database")],
)
async def test_says_what_is_wrong_with_the_database(
    environ: dict[str, str], module: str, failed: str, variable: str, value: str, reason: str
) -> None:
    done = await run(module, {**environ, variable: value})
    assert done.returncode == 1
    assert done.stderr.startswith(f"{failed}PostgreSQL at ")
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


@commands
async def test_says_that_the_database_is_not_migrated(
    environ: dict[str, str], empty: AppSettings, module: str, failed: str
) -> None:
    done = await run(module, {**environ, "DATABASE_NAME": empty.database_name})
    assert done.returncode == 1
    assert done.stderr.startswith(f"{failed}PostgreSQL at ")
    assert "it lacks a table: not all migrations were run" in done.stderr
    assert "Traceback" not in done.stderr


async def test_alembic_by_hand_uses_the_database_of_the_settings(environ: dict[str, str]) -> None:
    newest, before = reversed(revisions()[-2:])
    for step, found in [(["upgrade", "head"], newest), (["downgrade", "-1"], before), (["upgrade", "head"], newest)]:
        assert (await run("alembic", environ, *step)).returncode == 0
        assert (await run("alembic", environ, "current")).stdout.partition(" ")[0].strip() == found
