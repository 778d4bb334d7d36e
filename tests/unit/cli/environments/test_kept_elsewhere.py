"""One checkout on two machines with one engine, of which the second has a data home of its own."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from cli.core.errors import UserError
from cli.environments import clone as clones
from cli.environments import handle, named_environments
from cli.environments.clone import Clone
from cli.environments.kept_elsewhere import require_known
from cli.machine import setup
from cli.main import app
from cli.operations import session
from cli.pulumi.process import Pulumi
from cli.pulumi.stack_state import CONTAINER, NETWORK
from infra import identity
from infra.naming import Naming
from tests.unit.cli.engine_double import Engine

HOST = "/home/of the host/.local/share/dashtam"


@pytest.fixture
def here(repository: Path) -> Clone:
    """The checkout as the second machine has it, where its first command has not been run."""
    made = clones.current(repository)
    identity.write(repository, made.id, Path(HOST))
    return made


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path / "engine")


@pytest.fixture
def create_stacks(monkeypatch: pytest.MonkeyPatch, here: Clone, engine: Engine) -> Mock:
    """Let `session.prepare` find the checkout and the engine; returns what makes the stacks."""
    made = Mock()
    monkeypatch.setattr(clones, "current", lambda of=clones.current: of(here.root))
    monkeypatch.setattr(setup, "prepare", lambda **_: {})
    monkeypatch.setattr(session, "client_of", lambda _: engine.client)
    monkeypatch.setattr(named_environments, "create_stacks", made)
    return made


def _write_state(clone: Clone, *resources: tuple[str, str]) -> None:
    file = clone.state_folder / ".pulumi/stacks/dashtam/dev.json"
    file.parent.mkdir(parents=True)
    found = [{"type": kind, "id": key, "urn": f"urn:pulumi:dev::dashtam::{kind}::{key}"} for kind, key in resources]
    file.write_text(json.dumps({"version": 3, "checkpoint": {"latest": {"resources": found}}}))


def test_what_runs_for_the_other_machine_is_refused_before_anything_is_changed(
    here: Clone, engine: Engine, create_stacks: Mock
) -> None:
    engine.run("app", owner=here.id)
    config = here.root / "Pulumi.dev.yaml"
    config.write_text(f"encryptionsalt: of the host\n{config.read_text()}")
    before = config.read_bytes()
    for _ in range(2):
        with pytest.raises(UserError, match="dashtam-dev-app in Docker") as refused:
            session.prepare(needs="engine")
    assert f"kept in {HOST}" in refused.value.cause
    assert f"DASHTAM_DATA_HOME='{HOST}'" in refused.value.remedy
    assert identity.home(here.root) == HOST
    assert config.read_bytes() == before
    create_stacks.assert_not_called()


def test_the_command_that_the_refusal_names_removes_that_home_from_the_record(
    here: Clone, engine: Engine, create_stacks: Mock
) -> None:
    engine.run("app", owner=here.id)
    with pytest.raises(UserError) as refused:
        session.prepare(needs="engine")
    subprocess.run(["sh", "-c", refused.value.remedy.partition("record: ")[2]], check=True)
    assert session.prepare(needs="engine").clone.id == here.id
    create_stacks.assert_called_once()


def test_nothing_of_the_other_machine_is_cleaned_away_until_its_home_is_off_the_record(
    here: Clone, engine: Engine, create_stacks: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.answer(monkeypatch)
    monkeypatch.setattr(Pulumi, "stacks", Mock(return_value=()))
    labels = Naming("dev", here.id).labels("postgres")
    engine.volumes["postgres_dev_data"] = labels
    for option in ("--dry-run", "--yes"):
        with pytest.raises(UserError, match="has postgres_dev_data in Docker") as refused:
            CliRunner().invoke(app, ["clean", option], catch_exceptions=False)
    assert engine.volumes == {"postgres_dev_data": labels}
    subprocess.run(["sh", "-c", refused.value.remedy.partition("record: ")[2]], check=True)
    assert CliRunner().invoke(app, ["clean", "--yes"], catch_exceptions=False).exit_code == 0
    assert engine.volumes == {}
    create_stacks.assert_not_called()


@pytest.mark.usefixtures("create_stacks")
def test_no_environment_of_the_other_machine_is_worked_on(
    here: Clone, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.answer(monkeypatch)
    engine.run("app", owner=here.id)
    with pytest.raises(UserError, match="dashtam-dev-app in Docker"):
        handle.of("dev")
    _write_state(here, (CONTAINER, "app"))
    assert handle.of("dev").service("app").id == "app"


def test_without_anything_on_the_engine_the_clone_is_kept_here_from_now_on(
    here: Clone, create_stacks: Mock, data_home: Path
) -> None:
    session.prepare(needs="engine")
    assert identity.home(here.root) == str(data_home)
    create_stacks.assert_called_once()


def test_a_command_without_an_engine_decides_nothing(here: Clone, create_stacks: Mock) -> None:
    config = here.root / "Pulumi.dev.yaml"
    config.write_text(f"encryptionsalt: of the host\n{config.read_text()}")
    before = config.read_bytes()
    session.prepare(needs="nothing")
    assert identity.home(here.root) == HOST
    assert config.read_bytes() == before
    create_stacks.assert_not_called()


def test_what_a_killed_first_update_left_is_not_refused_in_its_own_home(
    here: Clone, engine: Engine, create_stacks: Mock, data_home: Path
) -> None:
    identity.write(here.root, here.id, data_home)
    engine.run("app", owner=here.id)
    session.prepare(needs="engine")
    create_stacks.assert_called_once()


def test_a_state_that_was_moved_along_knows_what_runs(here: Clone, engine: Engine) -> None:
    engine.run("app", owner=here.id)
    network = engine.connect("dashtam-dev-network", Naming("dev", here.id).labels(""))
    _write_state(here, (CONTAINER, "app"), (NETWORK, network))
    require_known(here, engine.view, HOST, {})
    engine.run("callback", owner=here.id)
    with pytest.raises(UserError, match="has dashtam-dev-callback in Docker"):
        require_known(here, engine.view, HOST, {})


@pytest.mark.parametrize("kind", ["container", "network", "data"])
def test_anything_of_this_clone_counts_and_nothing_of_another(here: Clone, engine: Engine, kind: str) -> None:
    def have(owner: str) -> None:
        labels = Naming("dev", owner).labels("postgres")
        if kind == "container":
            engine.run("app", owner=owner)
        elif kind == "network":
            engine.connect("dashtam-dev-network", labels)
        else:
            engine.volumes["postgres_dev_data"] = labels

    have("another")
    engine.volumes["dashtam-dev-app-files"] = Naming("dev", here.id).labels("app")
    require_known(here, engine.view, HOST, {})
    have(here.id)
    with pytest.raises(UserError, match="not in its state here"):
        require_known(here, engine.view, HOST, {})
    require_known(replace(here, id="third"), engine.view, HOST, {})
