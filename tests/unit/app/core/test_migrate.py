from __future__ import annotations

import io
import re
import shutil
from pathlib import Path
from unittest.mock import AsyncMock, MagicMock

import pytest
from alembic import command
from alembic.config import CommandLine, Config
from alembic.script import ScriptDirectory
from sqlalchemy import DateTime
from structlog.testing import capture_logs

from app.core import migrate
from app.core.migrate import LOCK
from app.core.models import Base
from app.core.revision import MIGRATIONS, revisions
from app.core.upgrade import alembic_config

SCRIPTS = ScriptDirectory.from_config(alembic_config())


def test_one_line_of_revisions() -> None:
    scripts = list(SCRIPTS.walk_revisions())
    assert len(SCRIPTS.get_heads()) == 1
    assert len(SCRIPTS.get_bases()) == 1
    assert revisions() == [one.revision for one in reversed(scripts)]
    assert all(not one.is_branch_point and not one.is_merge_point for one in scripts)


def test_only_the_first_revisions_could_be_another_branchs_too() -> None:
    assert all(re.fullmatch(r"000[1-4]|\d{4}[0-9a-f]{6}", one) for one in revisions())


def test_every_revision_says_what_it_is_for() -> None:
    assert all(revision.doc for revision in SCRIPTS.walk_revisions())


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a copy of the migrations, for `alembic` by hand in the current folder."""
    shutil.copy(MIGRATIONS.parents[2] / "pyproject.toml", tmp_path)
    shutil.copytree(MIGRATIONS, copy := tmp_path / "app" / "core" / "migrations")
    monkeypatch.chdir(tmp_path)
    return copy / "versions"


def _written(versions: Path, number: str, slug: str) -> dict[str, object]:
    [file] = versions.glob(f"{number}*_{slug}.py")
    module: dict[str, object] = {}
    exec(compile(file.read_text(), file, "exec"), module)  # noqa: S102
    assert file.name == f"{module['revision']}_{slug}.py"
    return module


def test_alembic_by_hand_writes_the_next_file_which_fails_until_it_is_written(versions: Path) -> None:
    CommandLine().main(["revision", "-m", "add a column"])
    CommandLine().main(["revision", "-m", "add another", "--rev-id", "0005"])
    first, second = _written(versions, "0005", "add_a_column"), _written(versions, "0006", "add_another")
    assert first["down_revision"] == revisions()[-1]
    assert second["down_revision"] == first["revision"]
    for module in (first, second):
        for step in ("upgrade", "downgrade"):
            with pytest.raises(NotImplementedError):
                module[step]()  # type: ignore[operator]


def test_two_branches_name_the_next_revision_differently(versions: Path) -> None:
    names = []
    for _branch in range(2):
        CommandLine().main(["revision", "-m", "add a column"])
        names += [revision := str(_written(versions, "0005", "add_a_column")["revision"])]
        (versions / f"{revision}_add_a_column.py").unlink()
    assert names[0] != names[1]


def test_alembic_by_hand_shows_the_history_without_a_database(versions: Path) -> None:
    shown = io.StringIO()
    options = CommandLine().parser.parse_args(["history"])
    command.history(Config(toml_file=versions.parents[3] / "pyproject.toml", cmd_opts=options, stdout=shown))
    assert len(shown.getvalue().splitlines()) == len(revisions())


@pytest.mark.parametrize(
    ("before", "logged"),
    [
        ([], ["Migrating the database", "upgrade", "Migrations completed successfully"]),
        (["0001"], ["Migrating the database", "upgrade", "Migrations completed successfully"]),
        ([revisions()[-1]], ["Migrations completed successfully"]),
    ],
)
async def test_a_migration_is_named_before_it_begins(
    monkeypatch: pytest.MonkeyPatch, before: list[str], logged: list[str]
) -> None:
    monkeypatch.setattr(migrate, "current_revisions", lambda _: before)
    monkeypatch.setattr(migrate, "_upgrade", lambda _: migrate.log.info("upgrade"))
    connection = AsyncMock(run_sync=AsyncMock(side_effect=lambda step: step(None)))
    engine = MagicMock()
    engine.connect.return_value.__aenter__ = AsyncMock(return_value=connection)
    with capture_logs() as entries:
        await migrate.migrate(engine, lock_timeout=1)
    assert [entry["event"] for entry in entries] == logged
    assert (entries[0]["before"], entries[0]["after"]) == (", ".join(before) or None, revisions()[-1])


def test_the_lock_fits_a_bigint() -> None:
    assert 0 < LOCK < 2**63


def test_every_constraint_has_a_name() -> None:
    for table in Base.metadata.tables.values():
        names = [item.name for item in (*table.constraints, *table.indexes)]  # type: ignore[attr-defined]
        assert all(isinstance(name, str) and table.name in name for name in names)


def test_every_time_has_a_zone() -> None:
    for table in Base.metadata.tables.values():
        times = [column.type for column in table.columns if isinstance(column.type, DateTime)]
        assert all(time.timezone for time in times)
