from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from docker.errors import APIError
from pydantic import SecretStr

from cli.core.errors import UserError
from cli.data import restore_journal
from cli.data.restore_journal import Entry, Phase
from cli.data.snapshots.helper import Part
from cli.environments import placements
from cli.environments.clone import Clone
from cli.operations import clean, client_settings
from cli.pulumi.stack_state import CONTAINER, NETWORK, VOLUME, Resource
from infra.config.placement import Placement, plain
from infra.naming import OWNER_LABEL, Naming
from tests.unit.cli.backend import Backend
from tests.unit.cli.conftest import noticed
from tests.unit.cli.engine_double import Engine, refused

if TYPE_CHECKING:
    from cli.operations.clean import Leftovers
    from infra.outputs import StackOutputs

FILES, DATA, THEIRS = "dashtam-dev-app-files", "postgres_dev_data", "postgres_shared_data"
OWN = Naming("dev", "me")


def _resource(kind: str, identity: str, owner: str = "") -> Resource:
    labels = [{"label": OWNER_LABEL, "value": owner}] if owner else []
    return Resource(kind, identity, identity, outputs={"labels": labels})


class Machine:
    """An environment of this clone, a container of another, and a backend that both use.

    Attributes:
        told: What was said meanwhile.
    """

    def __init__(self, root: Path) -> None:
        self.clone = Clone("me", root, root / "home")
        self.clone.home.mkdir()
        self.engine = Engine(root)
        self.backend = Backend(root / "state")
        self.told: list[str] = []
        self.engine.run("app", volumes=[FILES, DATA])
        self.network = self.engine.connect(OWN.network, OWN.labels("network"), "app")
        self.engine.run("theirs", "shared", "another", volumes=[THEIRS])
        for name, state in {
            "dev": [
                Resource("component", "x", ""),
                _resource(CONTAINER, "app", "me"),
                _resource(NETWORK, self.network),
                _resource(VOLUME, DATA),
            ],
            "gone": [_resource(CONTAINER, "removed by hand")],
            "shared": [_resource(CONTAINER, "theirs")],
            # Another clone's, on another machine.
            "far": [_resource(CONTAINER, "far", "another")],
            "elsewhere": [
                Resource("pulumi:pulumi:Stack", "s", "", outputs={"engine": "another-engine"}),
                _resource(VOLUME, "there", "me"),
            ],
            "empty": [],
        }.items():
            self.backend.write(name, state)

    def find(self) -> Leftovers:
        return clean.find(self.engine.client, self.backend.pulumi, self.clone)

    def remove(self, agreed: Leftovers) -> Leftovers:
        removed, self.told = noticed(lambda: clean.remove(self.engine.client, self.backend.pulumi, self.clone, agreed))
        return removed

    def left(self) -> tuple[set[str], set[str], set[str], set[str]]:
        """Return the containers, networks, volumes and stacks that there are."""
        return {*self.engine.containers}, {*self.engine.networks}, {*self.engine.volumes}, self.backend.stacks()


@pytest.fixture
def machine(tmp_path: Path, data_home: Path) -> Machine:
    data_home.mkdir()
    return Machine(tmp_path)


def test_data_is_listed_apart_and_states_with_resources_of_others_are_left(machine: Machine) -> None:
    assert machine.find().named() == {
        "containers": ["dashtam-dev-app"],
        "networks": ["dashtam-dev-network"],
        "volumes": [FILES],
        "data": [DATA],
        "stacks": ["dev", "gone"],
        "lost": [],
    }
    assert machine.find().any


def test_what_was_found_is_removed_and_nothing_else(machine: Machine) -> None:
    removed = machine.remove(machine.find())
    assert machine.left() == ({"theirs"}, set(), {THEIRS}, {"shared", "far", "elsewhere", "empty"})
    assert [one.id for one in removed.containers] == ["app"]
    assert not machine.find().any
    assert machine.told == []


@pytest.mark.parametrize(
    ("call", "key"), [("remove_container", "app"), ("inspect_network", f"id-{OWN.network}"), ("remove_volume", FILES)]
)
def test_data_stays_where_the_rest_can_not_be_removed(machine: Machine, call: str, key: str) -> None:
    def refuse() -> None:
        raise refused(HTTPStatus.INTERNAL_SERVER_ERROR, "no")

    agreed = machine.find()
    machine.engine.at[call, key] = refuse
    with pytest.raises(APIError, match="no"):
        machine.remove(agreed)
    assert DATA in machine.engine.volumes
    assert "dev" in machine.backend.stacks()
    # It can be run again.
    machine.engine.at.clear()
    machine.remove(machine.find())
    assert machine.left() == ({"theirs"}, set(), {THEIRS}, {"shared", "far", "elsewhere", "empty"})


def test_containers_that_came_meanwhile_are_removed_too(machine: Machine) -> None:
    agreed = machine.find()
    machine.engine.forget("app")
    machine.engine.run("redis")
    removed = machine.remove(agreed)
    assert [one.id for one in removed.containers] == ["redis"]
    assert machine.engine.containers.keys() == {"theirs"}


def test_data_that_came_meanwhile_is_not_removed(machine: Machine) -> None:
    agreed = machine.find()
    machine.engine.volumes["postgres_test_data"] = Naming("test", "me").labels("postgres")
    before = machine.left()
    with pytest.raises(UserError, match="postgres_test_data that was not there before"):
        machine.remove(agreed)
    assert machine.left() == before


def test_the_journal_of_an_interrupted_restore_is_removed(machine: Machine) -> None:
    noted = restore_journal.of(machine.clone, "dev")
    noted.write(Entry(format=2, snapshot="one", phase=Phase.STAGING, parts=(Part("postgres", DATA, "i", "1:1"),)))
    machine.remove(machine.find())
    assert noted.read() is None


def test_the_secrets_of_an_app_outside_of_its_container_are_removed(machine: Machine) -> None:
    document = json.dumps({"variables": {}, "files": {"TOKEN_KEYS_FILE": "a key"}})
    outputs = cast("StackOutputs", SimpleNamespace(environment="dev", app_on_host=SecretStr(document)))
    secret = Path(client_settings.of_app(machine.clone, outputs)["TOKEN_KEYS_FILE"])
    assert secret.exists()
    machine.remove(machine.find())
    assert not secret.exists()


def test_a_named_environment_is_removed_from_the_record(machine: Machine) -> None:
    here = machine.clone
    placements.write(here, {"dev": plain("dev"), "gone": Placement(source="dev", name="gone"), "else": plain("else")})
    (here.root / "Pulumi.dev.yaml").write_text("config: {}\n")
    (here.root / "Pulumi.gone.yaml").symlink_to("Pulumi.dev.yaml")
    machine.remove(machine.find())
    assert placements.recorded(here) == {"else": plain("else")}
    assert [path.name for path in here.root.glob("Pulumi.*.yaml")] == ["Pulumi.dev.yaml"]


def test_a_state_whose_passphrase_is_lost_is_removed_as_a_whole(machine: Machine) -> None:
    config = machine.clone.root / "Pulumi.dev.yaml"
    config.write_text("encryptionsalt: v1:x\nconfig: {}\n")
    machine.backend = Backend(machine.clone.state_folder)
    machine.backend.write("dev", [_resource(CONTAINER, "app", "me")])
    agreed = machine.find()
    assert agreed.named()["lost"] == [str(machine.clone.state_folder)]
    machine.remove(agreed)
    assert not machine.clone.state_folder.exists()
    assert "encryptionsalt" not in config.read_text()
