"""Where an environment runs: what a Swarm needs, and what it can't do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.core import database
from infra.config.sections import POOL

if TYPE_CHECKING:
    from tests.unit.infra.conftest import Change, Load, Refused

SWARM: Change = {
    "target.kind": "swarm",
    "target.expose": True,
    "target.data_node": "node1",
    "target.nodes": {"node1": "unix:///run/docker.sock", "node2": "tcp://10.0.0.2:2376"},
    "network.bind_address": "0.0.0.0",
    "network.hostname": "staging.example",
    "app.port": 443,
}


def test_an_engine_is_the_default(load: Load) -> None:
    assert load({}).target == load({"target.kind": "engine"}).target
    assert not load({}).target.is_swarm


def test_a_swarm(load: Load) -> None:
    config = load({**SWARM, "target.replicas": {"app": 3}, "target.registry": "registry.example:5000/team"})
    assert config.target.is_swarm
    assert (config.target.replicas.app, config.target.replicas.callback) == (3, 1)


def test_connections_are_counted_by_the_apps_pool() -> None:
    assert (database._POOL["pool_size"], database._POOL["max_overflow"]) == (POOL, 0)


@pytest.mark.parametrize(("replicas", "connections"), [(4, None), (5, "103"), (39, "783")])
def test_replicas_that_find_connections(load: Load, replicas: int, connections: str | None) -> None:
    parameters = {} if connections is None else {"max_connections": connections}
    config = load({**SWARM, "target.replicas": {"app": replicas}, "postgres.parameters": parameters})
    assert config.target.replicas.app == replicas


def test_what_publishes_nothing_needs_no_name(load: Load) -> None:
    unset = dict.fromkeys(("network.bind_address", "network.hostname", "app.port"))
    config = load({key: value for key, value in SWARM.items() if key not in unset} | {"network.internal": True})
    assert config.network.internal


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"target.kind": "engine"},
            "dashtam:target: expose, replicas, data_node, nodes, registry, encrypted and drain are for",
        ),
        ({"target.expose": False}, "set expose: true"),
        ({"target.nodes": {}}, "set data_node: node1 and nodes: {node1: unix:///var/run/docker.sock}"),
        ({"target.data_node": "node3"}, "set data_node: node3 and nodes: {node3:"),
        ({"target.nodes": {"node1": "ssh://node1"}}, "the address of a node's Docker engine"),
        ({"target.registry": "https://registry.example"}, "a registry's host"),
        ({"target.replicas": {"postgres": 2}}, "dashtam:target.replicas.postgres is not a known key"),
        ({"target.replicas": {"app": 0}}, "dashtam:target.replicas.app = 0"),
        ({"app.build": "development"}, "set app.build: production, or target.kind: engine"),
        ({"postgres.port": 5432, "redis.port": 6379}, "the port of postgres and redis on every address"),
        ({"network.bind_address": "10.0.0.1"}, "set network.bind_address: 0.0.0.0"),
        ({"network.hostname": "localhost"}, "set network.hostname"),
        ({"target.drain": "21s"}, "stop_grace 30s leaves less than 10 s after target.drain 21s"),
        ({"target.replicas": {"app": 5}}, "5 replicas of the app may take 103 connections to PostgreSQL; set"),
        (
            {"target.replicas": {"app": 39}, "postgres.parameters": {"max_connections": "782"}},
            'set postgres.parameters.max_connections: "783" at least',
        ),
        ({"target.replicas": {"app": 40}}, "dashtam:target.replicas.app = 40"),
    ],
)
def test_what_a_swarm_refuses(refused: Refused, change: Change, reason: str) -> None:
    [problem] = refused({**SWARM, **change})
    assert reason in problem
