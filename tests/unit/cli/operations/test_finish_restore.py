"""An interrupted restore is undone or finished, depending on its phase."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cli.core.errors import UserError
from cli.data import restore_journal
from cli.data.restore_journal import Entry, Phase
from cli.data.snapshots.helper import PREFIX, Part
from cli.data.snapshots.volume_swap import STAGED
from cli.environments.clone import Clone
from cli.environments.handle import EnvironmentHandle
from cli.operations import finish_restore
from cli.pulumi.stack_state import Resource
from infra.naming import Naming
from tests.unit.cli.backend import Backend
from tests.unit.cli.engine_double import Engine

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import MakeProgram

NAMING = Naming("dev", "me")
SERVICES = ("postgres", "redis")
PARTS = tuple(Part(name, NAMING.data_volume(name), "image", "1:1") for name in SERVICES)
STATES = {"postgres": "running", "redis": "exited", "app": "running"}
OLD, NEW = {"data": "old", "only-old": "old"}, {"data": "new", "only-new": "new"}


class Restoring:
    """An environment with a Redis that is stopped, and what a restore has staged beside its data."""

    def __init__(self, root: Path) -> None:
        self.clone = Clone("me", root, root / "home")
        self.journal = restore_journal.of(self.clone, "dev")
        self.engine = Engine(root)
        for service, state in STATES.items():
            volumes = [NAMING.data_volume(service)] if service in SERVICES else []
            self.engine.run(service, state=state, volumes=volumes)
        for part in PARTS:
            _fill(self.engine.folder(part.volume), OLD)
            _fill(self.engine.folder(part.volume) / STAGED, NEW)

    def note(self, phase: Phase) -> None:
        self.journal.write(Entry(format=2, snapshot="one", phase=phase, parts=PARTS))

    def finish(self) -> bool:
        return finish_restore.finish(EnvironmentHandle(NAMING.environment, self.clone, self.engine.view))

    def data(self, service: str) -> dict[str, str]:
        """Return all that is in a service's volume."""
        folder = self.engine.folder(NAMING.data_volume(service))
        return {str(one.relative_to(folder)): one.read_text() for one in folder.rglob("*") if one.is_file()}

    def started(self) -> dict[str, str]:
        """Return when each container was started."""
        return {key: one["State"]["StartedAt"] for key, one in self.engine.containers.items()}


def _fill(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


@pytest.fixture
def there(tmp_path: Path) -> Restoring:
    return Restoring(tmp_path)


def test_without_an_interrupted_restore_nothing_is_done(there: Restoring) -> None:
    before = there.data("postgres"), there.started()
    assert not there.finish()
    assert (there.data("postgres"), there.started()) == before
    assert there.engine.states() == STATES


def test_a_restore_that_had_replaced_nothing_is_undone(there: Restoring) -> None:
    before = there.started()
    there.note(Phase.STAGING)
    assert not there.finish()
    assert [there.data(service) for service in SERVICES] == [OLD, OLD]
    # The services never noticed.
    assert (there.engine.states(), there.started()) == (STATES, before)
    assert there.journal.read() is None


@pytest.mark.parametrize("phase", [Phase.SESSION_KEY, Phase.DATABASE])
def test_what_was_recorded_before_a_restore_that_is_undone_is_recorded_again(there: Restoring, phase: Phase) -> None:
    former = Entry(format=2, snapshot="former", phase=phase, parts=())
    there.journal.write(Entry(format=2, snapshot="one", phase=Phase.STAGING, parts=PARTS, former=former))
    assert not there.finish()
    assert there.journal.read() == former


def test_a_restore_that_had_begun_is_finished_and_stopped_services_run_again(
    there: Restoring, capsys: pytest.CaptureFixture[str]
) -> None:
    before = there.started()
    there.note(Phase.SWAPPING)
    assert there.finish()
    assert "A restore of dev was interrupted; it is finished now." in capsys.readouterr().err
    assert [there.data(service) for service in SERVICES] == [NEW, NEW]
    assert there.engine.states() == STATES
    assert {one for one, moment in there.started().items() if moment != before[one]} == {"postgres"}
    assert there.journal.read() is None
    # It is done once.
    assert not there.finish()


def test_data_is_replaced_only_while_nothing_writes_it(there: Restoring) -> None:
    states: list[tuple[str, str]] = []
    for service in SERVICES:
        there.engine.at["create", NAMING.container(f"{PREFIX}{service}")] = lambda: states.append(
            (there.engine.states()["postgres"], there.engine.states()["redis"])
        )
    there.note(Phase.SWAPPING)
    assert there.finish()
    assert states == [("exited", "exited")] * 2


@pytest.mark.parametrize("phase", [Phase.STAGING, Phase.SWAPPING, Phase.DATABASE])
def test_on_another_engine_it_stays_unfinished(there: Restoring, monkeypatch: pytest.MonkeyPatch, phase: Phase) -> None:
    backend = Backend(there.clone.home / "state")
    monkeypatch.setenv("PULUMI_BACKEND_URL", backend.environ["PULUMI_BACKEND_URL"])
    backend.write("dev", [Resource("pulumi:pulumi:Stack", "s", "", outputs={"engine": "another-engine"})])
    there.note(phase)
    with pytest.raises(UserError, match="dev is on another Docker engine"):
        there.finish()
    assert there.journal.read() is not None


@pytest.mark.parametrize("phase", [Phase.STAGING, Phase.SWAPPING])
def test_containers_of_the_killed_command_are_removed(there: Restoring, phase: Phase) -> None:
    for service in ("postgres", "another"):
        there.engine.run(f"{PREFIX}{service}", volumes=[PARTS[0].volume])
    there.note(phase)
    there.finish()
    assert there.engine.states() == STATES


def test_a_volume_that_was_removed_meanwhile_is_not_made_again(there: Restoring) -> None:
    there.engine.forget("postgres")
    del there.engine.volumes[PARTS[0].volume]
    there.note(Phase.SWAPPING)
    assert there.finish()
    assert there.engine.volumes.keys() == {PARTS[1].volume}
    assert there.data("redis") == NEW
    assert there.journal.read() is None


def test_a_restore_that_can_not_be_finished_is_an_error_and_can_be_retried(
    there: Restoring, program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.note(Phase.SWAPPING)
    path = os.environ["PATH"]
    full = program("mktemp", "echo 'mktemp: No space left on device' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{full}:{path}")
    with pytest.raises(UserError, match="A restore of dev was interrupted, and can't be finished") as raised:
        there.finish()
    assert "No space left" in raised.value.cause
    # On half of the data nothing is started.
    assert there.engine.states() == {**STATES, "postgres": "exited"}
    assert there.journal.read() is not None
    monkeypatch.setenv("PATH", path)
    assert there.finish()
    assert [there.data(service) for service in SERVICES] == [NEW, NEW]
    assert there.journal.read() is None
