from __future__ import annotations

from typing import Any

import pytest

from cli.core.errors import UserError
from cli.operations.swarm_preflight import require_swarm
from infra.config.sections import TargetSettings
from tests.unit.cli.swarm_double import Swarm


def _target(*nodes: str, data_node: str = "node1", registry: str | None = None) -> TargetSettings:
    addresses = {name: f"tcp://{name}:2375" for name in nodes}
    given: dict[str, Any] = {"data_node": data_node, "nodes": addresses, "registry": registry}
    return TargetSettings(kind="swarm", expose=True, **given)


@pytest.fixture
def swarm() -> Swarm:
    return Swarm("node1", "node2", "node3")


def _require(monkeypatch: pytest.MonkeyPatch, swarm: Swarm, target: TargetSettings) -> None:
    require_swarm(swarm.view(monkeypatch, *target.nodes), "staging", target)


def test_a_swarm_of_which_every_node_is_known_will_do(monkeypatch: pytest.MonkeyPatch, swarm: Swarm) -> None:
    _require(monkeypatch, swarm, _target("node1", "node2", "node3"))


def test_with_a_registry_only_the_node_with_data_must_be_known(monkeypatch: pytest.MonkeyPatch, swarm: Swarm) -> None:
    _require(monkeypatch, swarm, _target("node1", registry="registry.example:5000"))
    with pytest.raises(UserError, match="can't be brought to the nodes node2, node3") as raised:
        _require(monkeypatch, swarm, _target("node1"))
    assert "dashtam:target.nodes" in raised.value.remedy


def test_nodes_that_run_nothing_need_no_images(monkeypatch: pytest.MonkeyPatch, swarm: Swarm) -> None:
    swarm.nodes["node2"].state, swarm.nodes["node3"].availability = "down", "drain"
    _require(monkeypatch, swarm, _target("node1"))


def test_an_engine_that_manages_no_swarm_is_refused(monkeypatch: pytest.MonkeyPatch, swarm: Swarm) -> None:
    swarm.is_manager = False
    with pytest.raises(UserError, match="the Docker engine in use is not a Swarm manager") as raised:
        _require(monkeypatch, swarm, _target("node1"))
    assert "docker swarm init" in raised.value.remedy


def test_a_node_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, swarm: Swarm) -> None:
    with pytest.raises(UserError, match="no node node9") as raised:
        _require(monkeypatch, swarm, _target("node1", "node9"))
    assert "node1, node2, node3" in raised.value.cause


@pytest.mark.parametrize(("state", "availability"), [("down", "active"), ("ready", "drain")])
def test_the_node_with_data_must_run_services(
    monkeypatch: pytest.MonkeyPatch, swarm: Swarm, state: str, availability: str
) -> None:
    swarm.nodes["node1"].state, swarm.nodes["node1"].availability = state, availability
    with pytest.raises(UserError, match="node1, which keeps the data of staging") as raised:
        _require(monkeypatch, swarm, _target("node1", "node2", "node3"))
    assert state in raised.value.cause
    assert availability in raised.value.cause


def test_an_address_of_another_node_is_refused(monkeypatch: pytest.MonkeyPatch, swarm: Swarm) -> None:
    view = swarm.view(monkeypatch, "node2")
    monkeypatch.setattr("cli.engine.node.client_of", lambda _environ: swarm.client("node3"))
    with pytest.raises(UserError, match="is not the one of the node node2") as raised:
        require_swarm(view, "staging", _target("node1", "node2"))
    assert "id-node3" in raised.value.cause
