"""How a Swarm replaces the containers of a service, and how long an update waits for that."""

from __future__ import annotations

from math import ceil
from typing import Any

import pulumi_docker as docker

from infra.config.settings import StackSettings
from infra.config.values import engine_duration, seconds
from infra.naming import EDGE, WITH_DATA

PREPARING_SECONDS = 120
"""What pulling an image, or the first container in a network on a node, may take."""

MONITOR = "5s"
"""How long a container that became healthy may fail until it counts for the rollback."""


def rollout(name: str, replicas: int, settings: StackSettings) -> dict[str, Any]:
    """Return the arguments that say how many containers run, and how an update replaces them.

    It replaces one at a time, and a failed one goes back. The new one is healthy before the old one ends, unless both
    would use the same data or ports. The edge runs on every node, and the plugin can't wait for what does.
    """
    order = "stop-first" if name in (EDGE, *WITH_DATA) else "start-first"
    common: dict[str, Any] = {
        "parallelism": 1,
        "delay": "0s",
        "monitor": MONITOR,
        "max_failure_ratio": "0.0",
        "order": order,
    }
    found: dict[str, Any] = {
        "update_config": docker.ServiceUpdateConfigArgs(failure_action="rollback", **common),
        "rollback_config": docker.ServiceRollbackConfigArgs(failure_action="continue", **common),
    }
    if name == EDGE:
        return {**found, "mode": docker.ServiceModeArgs(global_=True)}
    one = seconds(settings.health.wait) + seconds(settings.containers.stop_grace)
    limit = f"{ceil(one * (replicas + 1)) + PREPARING_SECONDS}s"
    return {
        **found,
        "mode": docker.ServiceModeArgs(replicated=docker.ServiceModeReplicatedArgs(replicas=replicas)),
        "converge_config": docker.ServiceConvergeConfigArgs(delay="1s", timeout=limit),
    }


def duration(length: float) -> str:
    """Return seconds as the plugin reads them from the engine (its `shortDur`): `1m30s`, but `2m` and `1h`."""
    written = engine_duration(length)
    written = written.removesuffix("0s") if written.endswith("m0s") else written
    return written.removesuffix("0m") if written.endswith("h0m") else written
