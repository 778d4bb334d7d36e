"""One of the project's containers, as the engine has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.engine.tasks import FAILED
from infra.loopback import LOOPBACK, LOOPBACK_6
from infra.naming import COMPONENT_LABEL, OWNER_LABEL, SERVICES, STACK_LABEL

_LOOPBACK = frozenset({LOOPBACK, LOOPBACK_6})

TESTS = "tests"
"""The component of a container that runs the suites inside an environment."""


def made_by_updates(component: str) -> bool:
    """Return whether updates make what has a component's label, rather than a command."""
    return component != TESTS


def rank(component: str) -> int:
    """Return where a component comes in lists: services in their order, then whatever else runs."""
    return SERVICES.index(component) if component in SERVICES else len(SERVICES)


@dataclass(frozen=True)
class Source:
    """A container whose log is read; on a Swarm, `replica` says which one of its service it is, and where."""

    id: str
    service: str
    name: str
    replica: str = ""

    @property
    def label(self) -> str:
        """What stands before its lines."""
        return self.replica or self.service


@dataclass(frozen=True)
class ContainerView:
    """A container as the engine has it now."""

    id: str
    name: str
    component: str
    owner: str
    stack: str
    state: str
    health: str
    exit_code: int
    started: str
    ports: Mapping[str, list[int]]
    image: str
    checks: tuple[tuple[int, str], ...]
    exposed: Mapping[int, str] = field(default_factory=dict)
    """The addresses of host ports that other computers may reach."""
    killed_for_memory: bool = False
    is_connected: bool = True
    """Whether it is in a network."""
    replica: str = ""
    """Of a Swarm's task: its service and number, such as `app.2`."""
    node: str = ""
    """Of a Swarm's task: the hostname of its node, where it has one yet."""
    error: str = ""
    """Of a Swarm's task: why it failed or doesn't run yet."""
    reload_check: str = ""
    """Of a server that reloads its source: the shell command of its health check."""

    @property
    def source(self) -> Source:
        """Its log; the replica is such as `app.2@node1`."""
        return Source(self.id, self.component, self.name, f"{self.replica}@{self.node}" if self.replica else "")

    @property
    def is_service(self) -> bool:
        """Whether it runs all the time, unlike the containers that install files."""
        return self.component in SERVICES or bool(self.replica)

    @property
    def is_fine(self) -> bool:
        """Whether it is as `up` leaves it."""
        if self.is_service:
            return self.state == "running" and self.health == "healthy"
        if self.component == TESTS:
            return self.state == "running"
        return self.state == "exited" and self.exit_code == 0

    @property
    def has_failed(self) -> bool:
        """Whether it won't become as `up` leaves it without help."""
        if self.replica:
            return self.state in FAILED
        if self.is_service:
            return self.health == "unhealthy" or self.state in {"exited", "dead", "restarting"}
        return self.state == "exited" and self.exit_code != 0


def view(document: dict[str, Any]) -> ContainerView:
    """Return the container of a document that `docker inspect` shows."""
    state, labels = document["State"], document["Config"]["Labels"]
    health, task = state.get("Health") or {}, document.get("Task") or {}
    bindings = document["NetworkSettings"]["Ports"] or {}
    reloads = "--reload" in (document["Config"].get("Cmd") or [])
    check = (document["Config"].get("Healthcheck") or {}).get("Test") or [""]
    return ContainerView(
        id=document["Id"],
        name=document["Name"].lstrip("/"),
        component=labels.get(COMPONENT_LABEL, ""),
        owner=labels.get(OWNER_LABEL, ""),
        stack=labels.get(STACK_LABEL, ""),
        state=state["Status"],
        health=_health(health),
        exit_code=state["ExitCode"],
        started=state["StartedAt"],
        ports={inner: [int(one["HostPort"]) for one in outer or []] for inner, outer in bindings.items()},
        image=document["Config"]["Image"],
        exposed={
            int(one["HostPort"]): one["HostIp"]
            for outer in bindings.values()
            for one in outer or []
            if one.get("HostIp", LOOPBACK) not in _LOOPBACK
        },
        killed_for_memory=bool(state.get("OOMKilled")),
        is_connected=bool(task or document["NetworkSettings"].get("Networks")),
        replica=task.get("Replica", ""),
        node=task.get("Node", ""),
        error=task.get("Error", ""),
        reload_check=check[-1] if reloads else "",
        checks=tuple((check["ExitCode"], check["Output"].strip()) for check in health.get("Log") or []),
    )


def _health(state: Mapping[str, Any]) -> str:
    # Once it was paused or is being stopped, the engine calls it unhealthy until a check ends (moby/moby#46203).
    if state.get("Status") == "unhealthy" and not state.get("FailingStreak"):
        return "starting"
    return str(state.get("Status", ""))
