from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from cli.core.paths import ROOT
from cli.data import restore_journal
from cli.data.restore_journal import Entry, Phase
from cli.environments.clone import Clone
from cli.operations import unchanged
from cli.operations.session import Session
from cli.pulumi.stack_state import CONTAINER, Resource
from infra import authorities
from infra.naming import COMPONENT_LABEL
from infra.outputs import PublicOutputs
from tests.unit.cli.backend import Backend
from tests.unit.cli.engine.test_diff import INPUTS
from tests.unit.cli.engine_double import Engine
from tests.unit.cli.operations.test_drift import document
from tests.unit.infra.test_authorities import COMPANY
from tests.unit.infra.test_outputs import DOCUMENT

OUTPUTS = PublicOutputs.model_validate({name: DOCUMENT[name] for name in PublicOutputs.model_fields})

CONFIG = """config:
  dashtam:postgres: {{database: dashtam_test, user: dashtam_test_user}}
  dashtam:app: {{oauth_redirect_uri: "https://127.0.0.1:8183"}}
  dashtam:providers:
    my-bank:
      kind: oidc
      issuer: https://login.my-bank.example
      client_id_file: {folder}/client-id
      client_secret_file: {folder}/client-secret
"""


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A clone with one file of each input, whose environment test has a provider with credentials in files."""
    # Not those of this machine, whose public ones would be read for that at each look.
    monkeypatch.setattr(authorities, "added", partial(authorities.added, local=tmp_path / "none"))
    root = tmp_path / "root"
    for name in unchanged.INPUTS:
        file = root / name / "file" if (ROOT / name).is_dir() else root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("as it was")
    for name in ("client-id", "client-secret"):
        (tmp_path / name).write_text("as it was")
    (root / "Pulumi.test.yaml").write_text(CONFIG.format(folder=tmp_path))
    clone = Clone("me", root, tmp_path / "home")
    return cast("Session", SimpleNamespace(clone=clone, environ={"PULUMI_HOME": "/there", "HOME": "/home"}))


def edit(session: Session, name: str) -> None:
    file = session.clone.root / name
    file = file / "file" if file.is_dir() else file
    file.write_text(f"{file.read_text()}\n# edited\n" if file.suffix else "edited")


@pytest.mark.parametrize("name", [*unchanged.INPUTS, "Pulumi.test.yaml", "../client-id", "../client-secret"])
def test_an_edit_of_an_input_is_seen(session: Session, name: str) -> None:
    before = unchanged.inputs(session, "test")
    assert unchanged.inputs(session, "test") == before != ""
    edit(session, name)
    assert unchanged.inputs(session, "test") not in {before, ""}


@pytest.mark.parametrize("folder", [name for name in unchanged.INPUTS if (ROOT / name).is_dir()])
def test_a_new_file_of_an_input_is_seen(session: Session, folder: str) -> None:
    before = unchanged.inputs(session, "test")
    (session.clone.root / folder / "new").touch()
    assert unchanged.inputs(session, "test") != before


@pytest.mark.parametrize("variable", ["PULUMI_HOME", "DASHTAM_IMAGE_SOURCE", "DOCKER_HOST", "https_proxy", "NO_PROXY"])
def test_a_variable_that_is_read_is_seen(session: Session, variable: str) -> None:
    before = unchanged.inputs(session, "test")
    session.environ[variable] = "other"
    assert unchanged.inputs(session, "test") != before


def test_a_proxy_of_dockers_own_config_is_seen(session: Session, tmp_path: Path) -> None:
    session.environ["DOCKER_CONFIG"] = str(tmp_path)
    before = unchanged.inputs(session, "test")
    settings = {"proxies": {"default": {"httpsProxy": "http://proxy:3128"}}}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    assert unchanged.inputs(session, "test") != before


def test_a_private_ca_is_seen(session: Session, tmp_path: Path) -> None:
    before = unchanged.inputs(session, "test")
    (tmp_path / "ca.pem").write_text(COMPANY)
    session.environ["SSL_CERT_FILE"] = str(tmp_path / "ca.pem")
    assert unchanged.inputs(session, "test") != before


def test_a_login_of_docker_s_clients_changes_nothing(session: Session, tmp_path: Path) -> None:
    session.environ["DOCKER_CONFIG"] = str(tmp_path)
    before = unchanged.inputs(session, "test")
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"mirror.example": {"auth": "eDp5"}}}))
    assert unchanged.inputs(session, "test") == before


def test_a_move_of_the_clone_is_seen(session: Session) -> None:
    before = unchanged.inputs(session, "test")
    moved = session.clone.root.rename(session.clone.root.with_name("moved"))
    there = SimpleNamespace(clone=replace(session.clone, root=moved), environ=session.environ)
    assert unchanged.inputs(cast("Session", there), "test") not in {before, ""}


def test_other_files_and_variables_change_nothing(session: Session) -> None:
    before = unchanged.inputs(session, "test")
    session.environ["HOME"] = "/other"
    (session.clone.root / "tests").mkdir()
    (session.clone.root / "tests/test_a.py").touch()
    assert unchanged.inputs(session, "test") == before


def test_an_image_of_the_tests_follows_an_edit_of_them(session: Session) -> None:
    with (session.clone.root / "Pulumi.test.yaml").open("a") as config:
        config.write("  dashtam:tests: {image: true}\n")
    before = unchanged.inputs(session, "test")
    (session.clone.root / "tests").mkdir()
    (session.clone.root / "tests/test_a.py").touch()
    assert unchanged.inputs(session, "test") != before


class Environment:
    """What `inputs` and `made` return."""

    def __init__(self) -> None:
        self.inputs, self.made = "inputs", ""
        self.edited = ""

    def up(self) -> None:
        self.made = "made"
        self.inputs = self.edited or self.inputs


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    found = Environment()
    monkeypatch.setattr(unchanged, "inputs", lambda *_: found.inputs)
    monkeypatch.setattr(unchanged, "made", lambda *_: found.made)
    return found


def require(session: Session, environment: Environment) -> int:
    """Return how often it was brought up for this."""
    read = environment.inputs
    found = unchanged.outputs(session, "test", read)
    if found:
        assert found == OUTPUTS
        return 0
    environment.up()
    unchanged.record(session, "test", read, OUTPUTS)
    return 1


def test_it_comes_up_once_as_long_as_nothing_changes(session: Session, environment: Environment) -> None:
    assert [require(session, environment) for _ in range(3)] == [1, 0, 0]


@pytest.mark.parametrize("changed", [{"inputs": "other"}, {"made": "other"}, {"made": ""}, {"inputs": ""}])
def test_it_comes_up_again_where_anything_changed(
    session: Session, environment: Environment, changed: dict[str, str]
) -> None:
    require(session, environment)
    vars(environment).update(changed)
    assert require(session, environment) == 1


def test_an_edit_while_it_comes_up_proves_nothing(session: Session, environment: Environment) -> None:
    environment.edited = "edited"
    assert [require(session, environment) for _ in range(3)] == [1, 1, 0]


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"read": "inputs", "made": "made"}', '{"read": 1, "at": "x"}'])
def test_a_record_that_cannot_be_read_proves_nothing(session: Session, environment: Environment, record: str) -> None:
    require(session, environment)
    (session.clone.home / "unchanged/test.json").write_text(record)
    assert require(session, environment) == 1


@pytest.mark.parametrize("seconds", [-unchanged.LONGEST_SECONDS, 60])
def test_a_proof_holds_for_a_time(session: Session, environment: Environment, seconds: int) -> None:
    require(session, environment)
    file = session.clone.home / "unchanged/test.json"
    known = json.loads(file.read_text())
    file.write_text(json.dumps({**known, "at": known["at"] + seconds}))
    assert require(session, environment) == 1


class Standing:
    """An environment with one service, as its state and the engine have it."""

    def __init__(self, root: Path) -> None:
        clone = Clone("me", root, root / "home")
        self.engine, self.backend = Engine(root), Backend(clone.state_folder)
        self.run("app")
        self.state = [Resource(CONTAINER, "dashtam-test-app", "app", inputs=INPUTS)]
        self.backend.write("test", self.state)
        self.id = "this-engine"
        client = SimpleNamespace(info=self.info)
        found = SimpleNamespace(clone=clone, environ={}, engine=self.engine.view, client=client)
        self.session = cast("Session", found)

    def run(self, identity: str, **changes: str) -> None:
        made = document(Id=identity, **changes)
        made["State"] |= {"StartedAt": "", "Health": {"Status": "healthy"}}
        made["Config"] |= {"Image": "app:1", "Labels": {**made["Config"]["Labels"], COMPONENT_LABEL: "app"}}
        made["NetworkSettings"]["Ports"] = {}
        self.engine.have(made)

    def info(self) -> dict[str, str]:
        return {"ID": self.id}

    def made(self) -> str:
        return unchanged.made(self.session, "test")

    def stop_a_container(self) -> None:
        self.engine.containers["app"]["State"]["Status"] = "exited"

    def remove_a_container(self) -> None:
        self.engine.forget("app")

    def change_a_container(self) -> None:
        self.engine.containers["app"]["HostConfig"]["Memory"] *= 2

    def replace_a_container(self) -> None:
        self.engine.forget("app")
        self.run("another")

    def add_a_container(self) -> None:
        self.run("extra", Name="/extra")

    def refresh_the_state(self) -> None:
        self.backend.write("test", [*self.state, Resource("component", "new", "")])

    def use_another_engine(self) -> None:
        self.id = "another-engine"

    def leave_a_restore_unfinished(self) -> None:
        journal = restore_journal.of(self.session.clone, "test")
        journal.write(Entry(format=2, snapshot="one", phase=Phase.STAGING, parts=()))


def test_what_was_made_is_the_same_as_long_as_nothing_happens(tmp_path: Path) -> None:
    standing = Standing(tmp_path)
    assert standing.made() == standing.made() != ""


@pytest.mark.parametrize(
    "happen",
    [
        Standing.stop_a_container,
        Standing.remove_a_container,
        Standing.change_a_container,
        Standing.replace_a_container,
        Standing.add_a_container,
        Standing.refresh_the_state,
        Standing.use_another_engine,
        Standing.leave_a_restore_unfinished,
    ],
)
def test_what_happens_to_what_was_made_is_seen(tmp_path: Path, happen: Callable[[Standing], None]) -> None:
    standing = Standing(tmp_path)
    before = standing.made()
    happen(standing)
    assert standing.made() != before
