from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import DateTime

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


def test_every_revision_says_what_it_is_for() -> None:
    assert all(revision.doc for revision in SCRIPTS.walk_revisions())


def test_alembic_by_hand_writes_the_next_file_which_fails_until_it_is_written(tmp_path: Path) -> None:
    shutil.copy(MIGRATIONS.parents[2] / "pyproject.toml", tmp_path)
    shutil.copytree(MIGRATIONS, copy := tmp_path / "app" / "core" / "migrations")
    config = Config("alembic.ini", toml_file=tmp_path / "pyproject.toml")
    command.revision(config, "add a column", rev_id="9999")
    file = copy / "versions" / "9999_add_a_column.py"
    module: dict[str, object] = {}
    exec(compile(file.read_text(), file, "exec"), module)  # noqa: S102
    assert (module["revision"], module["down_revision"]) == ("9999", revisions()[-1])
    for step in ("upgrade", "downgrade"):
        with pytest.raises(NotImplementedError):
            module[step]()  # type: ignore[operator]


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
