from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.system.swarm.lab import Lab


def test_three_nodes_are_ready_and_known_by_their_names(lab: Lab) -> None:
    lines = lab.manager.docker("node", "ls", "--format", "{{json .}}").splitlines()
    nodes = {one["Hostname"]: one for one in map(json.loads, lines)}
    assert sorted(nodes) == [node.name for node in lab.nodes]
    assert {(one["Status"], one["Availability"]) for one in nodes.values()} == {("Ready", "Active")}
    assert nodes[lab.manager.name]["ManagerStatus"] == "Leader"
