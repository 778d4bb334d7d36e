from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from cli.core.errors import UserError
from cli.data import restore_journal
from cli.data.restore_journal import Entry, Phase
from cli.data.snapshots.helper import Part
from cli.data.snapshots.volume_swap import STAGED
from cli.environments import clone
from cli.environments.clone import Clone
from cli.main import app
from infra.naming import Naming
from tests.unit.cli.engine_double import Engine

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

VOLUME = Naming("dev", "me").data_volume("redis")
STATES = {"postgres": "running", "redis": "running", "app": "exited"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    here = Clone("me", tmp_path, tmp_path / "home")
    here.home.mkdir()
    monkeypatch.setattr(clone, "current", lambda: here)
    return here


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine(tmp_path)
    engine.answer(monkeypatch)
    for service, state in STATES.items():
        engine.run(service, state=state, volumes=[VOLUME] if service == "redis" else [])
    engine.run("callback", "another")
    return engine


def _restart(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["restart", "dev", *arguments], catch_exceptions=False)


def _starts(engine: Engine) -> dict[str, str]:
    return {key: one["State"]["StartedAt"] for key, one in engine.containers.items()}


@pytest.mark.parametrize(
    ("named", "restarted"), [(["redis"], ["redis"]), (["redis", "app"], ["redis", "app"]), ([], [*STATES])]
)
@pytest.mark.usefixtures("here")
def test_what_is_named_is_restarted_else_all_there_is(engine: Engine, named: list[str], restarted: list[str]) -> None:
    before = _starts(engine)
    done = _restart(*named, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {"environments": [{"environment": "dev", "services": restarted}]}
    assert {one for one, moment in _starts(engine).items() if moment != before[one]} == {*restarted}
    assert {engine.states()[one] for one in restarted} == {"running"}


@pytest.mark.usefixtures("here")
def test_people_are_told_what_was_restarted(engine: Engine) -> None:
    done = _restart("redis")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "dev: redis restarted." in done.stderr
    assert "interrupted" not in done.stderr
    assert engine.states()["redis"] == "running"


@pytest.mark.usefixtures("here")
def test_what_is_not_up_is_told_and_nothing_is_restarted(engine: Engine) -> None:
    before = _starts(engine)
    with pytest.raises(UserError, match="The callback of dev is not running"):
        _restart("redis", "callback")
    assert _starts(engine) == before


def test_a_restore_that_was_broken_off_is_finished_first_and_all_restarted(here: Clone, engine: Engine) -> None:
    folder = engine.folder(VOLUME)
    (folder / STAGED).mkdir(parents=True)
    (folder / "dump.rdb").write_text("old")
    (folder / STAGED / "dump.rdb").write_text("new")
    parts = (Part("redis", VOLUME, "image", "1:1"),)
    restore_journal.of(here, "dev").write(Entry(format=2, snapshot="one", phase=Phase.SWAPPING, parts=parts))
    done = _restart("redis")
    assert done.exit_code == 0
    assert "A restore of dev was interrupted; it is finished now." in done.stderr
    assert {one.name: one.read_text() for one in folder.iterdir()} == {"dump.rdb": "new"}
    assert {engine.states()[one] for one in STATES} == {"running"}
    assert "dev: postgres, redis, app restarted." in done.stderr
    assert restore_journal.of(here, "dev").read() is None
