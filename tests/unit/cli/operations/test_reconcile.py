from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import Mock

import pytest

from cli.environments import states
from cli.environments.clone import Clone
from cli.operations import reconcile
from cli.operations.drift import look
from cli.pulumi.stack_state import CONTAINER, NETWORK, VOLUME, Resource
from tests.unit.cli.backend import Backend
from tests.unit.cli.conftest import noticed
from tests.unit.cli.engine.test_diff import INPUTS
from tests.unit.cli.engine_double import Engine
from tests.unit.cli.operations.test_drift import LABELS, OWN, document
from tests.unit.cli.world import CONFIG

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.operations.session import Session

ID = "c" * 64
NAME = "dashtam-test-app"
VOLUMES = ("postgres_test_data", "dashtam-test-app-files")


class Environment:
    """An environment that is as its state says.

    Attributes:
        told: What was said.
    """

    def __init__(self, root: Path, backend: Backend) -> None:
        self.clone = Clone("me", root, root / "home")
        self.engine = Engine(root)
        self.told: list[str] = []
        self.engine.have(document())
        self.engine.volumes = {name: {**OWN} for name in VOLUMES}
        network = self.engine.connect("net", OWN)
        volumes = [Resource(VOLUME, one, one, inputs={"name": one, "labels": LABELS}) for one in VOLUMES]
        backend.write(
            "test",
            [
                *volumes,
                Resource(NETWORK, "network", network, inputs={"name": "net", "labels": LABELS}),
                Resource(CONTAINER, NAME, ID, inputs=INPUTS),
            ],
        )

    def prepare(self) -> bool:
        result, self.told = noticed(lambda: reconcile.prepare(self.session(), "test"))
        return result

    def session(self, pulumi: object = None) -> Session:
        return cast("Session", SimpleNamespace(engine=self.engine.view, clone=self.clone, pulumi=pulumi))

    @property
    def container(self) -> dict[str, Any]:
        return self.engine.containers[ID]

    def differing(self) -> set[tuple[str, str]]:
        """Return the kinds and properties that are left to the update."""
        return {(one.kind, one.property) for one in look(self.engine.view, self.clone, "test")}


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    made = Backend(tmp_path / "state")
    for name, value in made.environ.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def environment(tmp_path: Path, backend: Backend) -> Environment:
    return Environment(tmp_path, backend)


def _memory(of: Environment) -> None:
    of.container["HostConfig"]["Memory"] = 1 << 20


def _processors(of: Environment) -> None:
    of.container["HostConfig"]["NanoCpus"] = 1


def _network(of: Environment) -> None:
    of.container["NetworkSettings"]["Networks"] = {}


def _label_of_a_volume(of: Environment) -> None:
    of.engine.volumes[VOLUMES[0]] = {**OWN, "dashtam.component": "y"}


def test_what_is_as_recorded_needs_no_refresh(environment: Environment) -> None:
    assert not environment.prepare()
    assert environment.told == []
    assert environment.engine.states() == {ID: "running"}


@pytest.mark.parametrize(
    ("change", "left"),
    [(_memory, ("container", "memory")), (_label_of_a_volume, ("volume", "label dashtam.component"))],
)
def test_what_a_refresh_sees_is_left_to_it(
    environment: Environment, change: Callable[[Environment], None], left: tuple[str, str]
) -> None:
    change(environment)
    assert environment.prepare()
    assert environment.told == []
    assert environment.engine.states() == {ID: "running"}
    assert environment.differing() == {left}


@pytest.mark.parametrize(
    ("changes", "told"),
    [((_processors,), "NanoCpus"), ((_network,), "network net"), ((_memory, _network), "network net")],
)
def test_a_container_whose_change_no_refresh_sees_is_removed(
    environment: Environment, changes: tuple[Callable[[Environment], None], ...], told: str
) -> None:
    for change in changes:
        change(environment)
    assert environment.prepare()
    assert environment.engine.containers == {}
    assert environment.told == [f"Removing {NAME}: its {told} changed."]
    # A refresh does see that a container is gone.
    assert environment.differing() == {("container", "container")}
    assert environment.engine.volumes.keys() == {*VOLUMES}


def test_a_replacement_that_differs_is_removed(environment: Environment) -> None:
    environment.engine.forget(ID)
    environment.engine.have(document(Id="d" * 64, Image="sha256:b"))
    assert environment.prepare()
    assert environment.engine.containers == {}


def test_what_others_made_under_a_containers_name_is_left_alone(environment: Environment) -> None:
    environment.engine.forget(ID)
    stranger = environment.engine.have(document(Id="d" * 64, Image="sha256:b"))
    stranger["Config"]["Labels"] = {**OWN, "dashtam.owner": "another"}
    assert environment.prepare()
    assert environment.told == []
    assert environment.engine.states() == {"d" * 64: "running"}


def test_a_container_that_was_removed_meanwhile_is_no_error(environment: Environment) -> None:
    _network(environment)
    environment.engine.at["inspect_container", NAME] = lambda: environment.engine.containers.pop(ID, None)
    assert environment.prepare()
    assert environment.told == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (VOLUMES[0], f"The volume {VOLUMES[0]} was deleted with its data; an empty one is made."),
        (VOLUMES[1], f"The volume {VOLUMES[1]} was deleted; it is made again."),
    ],
)
def test_a_lost_volume_is_made_again_with_its_labels_and_told(environment: Environment, name: str, told: str) -> None:
    del environment.engine.volumes[name]
    assert environment.prepare()
    assert environment.engine.volumes == dict.fromkeys(VOLUMES, OWN)
    assert environment.told == [told]
    assert environment.differing() == set()


@pytest.mark.parametrize(
    ("resource", "protect", "released"),
    [
        ("token-old-key", True, True),
        ("token-old-key", False, False),
        ("token-k1-key", True, False),
        ("session-key", True, False),
        (VOLUMES[0], True, False),
    ],
)
def test_only_token_keys_that_the_config_no_longer_has_are_released(
    environment: Environment, tmp_path: Path, backend: Backend, resource: str, protect: bool, released: bool
) -> None:
    (tmp_path / "Pulumi.test.yaml").write_text(CONFIG)
    backend.write("test", [Resource("any", resource, "id", urn=f"urn::{resource}", protect=protect)])
    pulumi = Mock()
    reconcile.release_keys(environment.session(pulumi), "test", states.read(environment.clone, "test"))
    assert [call.args[:3] for call in pulumi.run.call_args_list] == (
        [("state", "unprotect", f"urn::{resource}")] if released else []
    )
