from __future__ import annotations

import copy
import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from cli.engine.container import ContainerView
from cli.engine.inventory import EngineView
from cli.operations import recover
from cli.pulumi.process import Pulumi
from tests.unit.cli.conftest import MakeContainer, noticed
from tests.unit.cli.swarm_double import Swarm

if TYPE_CHECKING:
    from cli.operations.session import Session

CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"


class FakePulumi(Pulumi):
    """Keeps a state in memory."""

    state: dict[str, Any]
    imported: list[dict[str, Any]]

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        if arguments[:2] == ("stack", "import"):
            self.imported.append(json.loads(stdin or ""))
            return ""
        assert arguments[:2] == ("stack", "export")
        return json.dumps(self.state)

    def deployment(self, stack: str) -> dict[str, Any]:
        assert stack == "test"
        return copy.deepcopy(self.state.get("deployment") or {})


class FakeView(EngineView):
    """An engine that notes what is removed."""

    def __init__(self, containers: list[ContainerView], networks: dict[str, str]) -> None:
        self.found, self.nets = containers, networks
        self.removed: list[str] = []

    def containers(self, stack: str | None = None, owner: str | None = None) -> list[ContainerView]:
        assert (stack, owner) == ("test", "me")
        return self.found

    def networks(self, stack: str | None, owner: str) -> dict[str, str]:
        assert (stack, owner) == ("test", "me")
        return self.nets

    def remove_container(self, container: str) -> None:
        self.removed.append(container)

    def remove_network(self, network: str) -> None:
        self.removed.append(network)


def _pulumi(backend: Path, *resources: tuple[str, str], pending: bool = False) -> FakePulumi:
    made = FakePulumi({"PULUMI_BACKEND_URL": backend.as_uri()})
    deployment: dict[str, Any] = {"resources": [{"type": kind, "id": name} for kind, name in resources]}
    if pending:
        deployment["pending_operations"] = [{"type": "creating"}]
    object.__setattr__(made, "state", {"version": 3, "deployment": deployment})
    object.__setattr__(made, "imported", [])
    return made


def _session(view: FakeView, pulumi: FakePulumi | None = None) -> Session:
    return cast("Session", SimpleNamespace(pulumi=pulumi, engine=view, clone=SimpleNamespace(id="me")))


def _recover(pulumi: FakePulumi, view: FakeView) -> tuple[bool, list[str]]:
    return noticed(lambda: recover.recover(_session(view, pulumi), "test"))


def test_an_environment_that_is_well_is_left_alone(container: MakeContainer, tmp_path: Path) -> None:
    view = FakeView([container()], {"net": "dashtam-test-network"})
    pulumi = _pulumi(tmp_path, (CONTAINER, "id-app"), (NETWORK, "net"))
    assert _recover(pulumi, view) == (False, [])
    assert (view.removed, pulumi.imported) == ([], [])


@pytest.mark.parametrize(
    ("changes", "goes"),
    [
        ({"state": "exited"}, True),
        ({"state": "paused"}, True),
        ({"state": "created", "health": ""}, True),
        ({"health": "unhealthy"}, True),
        ({"health": "starting"}, False),
        ({"component": "files", "state": "exited", "health": "", "exit_code": 0}, False),
        ({"component": "files", "state": "exited", "health": "", "exit_code": 1}, True),
    ],
)
def test_a_container_that_will_not_do_is_removed_and_refreshed(
    container: MakeContainer, tmp_path: Path, changes: dict[str, object], goes: bool
) -> None:
    view = FakeView([container(**changes)], {})
    refresh, said = _recover(_pulumi(tmp_path, (CONTAINER, "id-app")), view)
    assert (refresh, view.removed) == (goes, ["id-app"] if goes else [])
    assert bool(said) is goes


def test_what_no_state_knows_is_removed(container: MakeContainer, tmp_path: Path) -> None:
    view = FakeView([container()], {"net": "dashtam-test-network"})
    refresh, said = _recover(_pulumi(tmp_path), view)
    assert view.removed == ["id-app", "net"]
    assert not refresh
    assert all("interrupted update" in line for line in said)


def test_a_replaced_network_that_could_not_be_deleted_is_removed(container: MakeContainer, tmp_path: Path) -> None:
    pulumi = _pulumi(tmp_path, (CONTAINER, "id-app"), (NETWORK, "new"), (NETWORK, "old"))
    pulumi.state["deployment"]["resources"][-1]["delete"] = True
    view = FakeView([container()], {"new": "dashtam-test-network", "old": "dashtam-test-network"})
    assert _recover(pulumi, view) == (
        False,
        ["Removing dashtam-test-network: left by an interrupted update."],
    )
    assert view.removed == ["old"]


def test_what_is_gone_is_refreshed(tmp_path: Path) -> None:
    refresh, _ = _recover(_pulumi(tmp_path, (CONTAINER, "id-app")), FakeView([], {}))
    assert refresh


def test_a_network_that_is_gone_is_refreshed(container: MakeContainer, tmp_path: Path) -> None:
    pulumi = _pulumi(tmp_path, (CONTAINER, "id-app"), (NETWORK, "net"))
    view = FakeView([container()], {})
    refresh, said = _recover(pulumi, view)
    # Its container runs on, cut off from the others.
    assert refresh
    assert view.removed == ["id-app"]
    assert "its network does not exist" in said[0]


def test_pending_operations_are_forgotten(container: MakeContainer, tmp_path: Path) -> None:
    pulumi = _pulumi(tmp_path, (CONTAINER, "id-app"), pending=True)
    _, said = _recover(pulumi, FakeView([container()], {}))
    [imported] = pulumi.imported
    assert "pending_operations" not in imported["deployment"]
    assert imported["deployment"]["resources"] == [{"type": CONTAINER, "id": "id-app"}]
    assert any("was interrupted" in line for line in said)


def test_a_replacement_that_was_broken_off_is_refreshed(container: MakeContainer, tmp_path: Path) -> None:
    pulumi = _pulumi(tmp_path, (CONTAINER, "id-app"), (CONTAINER, "id-gone"))
    pulumi.state["deployment"]["resources"][1]["pendingReplacement"] = True
    refresh, said = _recover(pulumi, FakeView([container()], {}))
    [imported] = pulumi.imported
    assert refresh
    assert imported["deployment"]["resources"][1] == {"type": CONTAINER, "id": "id-gone"}
    assert any("was interrupted" in line for line in said)


@pytest.mark.parametrize("state", [{}, {"version": 3}, {"deployment": None}, {"deployment": {}}])
def test_an_empty_state_is_fine(tmp_path: Path, state: dict[str, Any]) -> None:
    pulumi = _pulumi(tmp_path)
    object.__setattr__(pulumi, "state", state)
    assert _recover(pulumi, FakeView([], {})) == (False, [])


def test_tests_that_run_beside_it_are_left_alone(container: MakeContainer, tmp_path: Path) -> None:
    tests = container(id="id-tests", name="dashtam-test-tests", component="tests", health="")
    view = FakeView([container(), tests], {})
    assert _recover(_pulumi(tmp_path, (CONTAINER, "id-app")), view) == (False, [])
    assert view.removed == []


def test_only_what_runs_beside_it_is_removed_as_such(container: MakeContainer) -> None:
    tests = container(id="id-tests", name="dashtam-test-tests", component="tests", health="")
    view = FakeView([container(), tests], {})
    _, said = noticed(lambda: recover.remove_test_container(_session(view), "test"))
    assert view.removed == ["id-tests"]
    assert said == ["Removing dashtam-test-tests, the test container of test."]


def test_what_an_interrupted_update_left_on_a_swarm_is_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    swarm = Swarm("node1", "node2")
    known, _ = swarm.run("app"), swarm.run("callback")
    others = swarm.run("app", owner="another")
    kept, left = swarm.keep("dashtam-staging-app-1", "app"), swarm.keep("dashtam-staging-app-2", "app")
    used = swarm.keep("dashtam-staging-app-3", "app")
    swarm.services[known]["Spec"]["TaskTemplate"]["ContainerSpec"]["Secrets"] = [{"SecretID": used}]
    foreign = swarm.keep("dashtam-staging-app-4", "app", owner="another")
    pulumi = _pulumi(tmp_path, ("docker:index/service:Service", known), ("docker:index/secret:Secret", kept))
    session = cast("FakeView", swarm.view(monkeypatch, "node1"))
    monkeypatch.setattr(FakePulumi, "deployment", lambda self, _stack: self.state["deployment"])
    refresh, said = noticed(lambda: recover.recover(_session(session, pulumi), "staging"))
    assert not refresh
    assert {*swarm.services} == {known, others}
    assert {*swarm.secrets} == {kept, used, foreign}
    assert len(said) == 3
    assert all("left by an interrupted update" in line for line in said)
    assert left not in swarm.secrets
