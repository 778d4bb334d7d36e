"""A Swarm's tasks in the words of `docker inspect` of a container, so that what shows containers shows them too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.naming import COMPONENT_LABEL

Document = dict[str, Any]
"""What the engine's API returns about one object."""


TASK_LABEL = "com.docker.swarm.task.id"
"""What the Swarm labels a task's container with."""

WANTED = ("ready", "running")
"""The desired states of the tasks that are to run; all others are history."""

STARTED = ("starting", "running")
"""The states of tasks that have a container, which may have written something."""

FAILED = frozenset({"failed", "rejected", "orphaned"})
NEVER = "0001-01-01T00:00:00Z"


@dataclass(frozen=True)
class ServiceView:
    """A Swarm's service as it is now.

    Args:
        updated: How many of the running tasks are as the service's present specification says.
        update: The state of its last update, such as `updating` or `rollback_completed`; empty before the first.
        message: What the Swarm says of that.
        began: When that update began; empty before the first.
    """

    id: str
    name: str
    component: str
    wanted: int
    running: int
    updated: int
    image: str
    update: str = ""
    message: str = ""
    began: str = ""

    @property
    def is_rolled_back(self) -> bool:
        """Whether its last update was taken back, or is being."""
        return self.update.startswith("rollback") or self.update == "paused"

    @property
    def reason(self) -> str:
        """What the Swarm says beyond the state of the update, after a colon; empty where it says no more."""
        said = self.message.rstrip(".")
        return f": {said}" if said and said != self.update.replace("_", " ") else ""

    @property
    def is_fine(self) -> bool:
        """Whether all of its tasks run."""
        return self.running >= self.wanted


def container(service: Mapping[str, Any], task: Mapping[str, Any], node: str) -> Document:
    """Return a task as `docker inspect` shows a container; its id is the task's."""
    spec, status = task["Spec"]["ContainerSpec"], task["Status"]
    inner, state = status.get("ContainerStatus") or {}, status["State"]
    return {
        "Id": task["ID"],
        "Name": f"/{service['Spec']['Name']}{_replica(task)}{f'@{node}' if node else ''}",
        "Config": {"Labels": service["Spec"]["Labels"] or {}, "Image": spec["Image"]},
        "State": {
            "Status": state,
            "ExitCode": inner.get("ExitCode") or 0,
            "StartedAt": status["Timestamp"] if state == "running" else NEVER,
            # The Swarm lets a task run once its container is healthy, and replaces one that isn't any more.
            "Health": {"Status": "healthy" if state == "running" else "starting"},
        },
        "NetworkSettings": {"Ports": _ports(service), "Networks": {}},
        "Mounts": [_mount(one) for one in spec.get("Mounts") or ()],
        "Task": {
            "Node": node,
            "Replica": f"{service['Spec']['Labels'].get(COMPONENT_LABEL, '')}{_replica(task)}",
            "Container": inner.get("ContainerID", ""),
            "Error": status.get("Err", ""),
        },
    }


def is_wanted(task: Mapping[str, Any]) -> bool:
    """Return whether a task is to run, and not history."""
    return task["DesiredState"] in WANTED


def look(service: Mapping[str, Any], tasks: Iterable[Mapping[str, Any]]) -> ServiceView:
    """Return a service with what its tasks are doing."""
    spec, update = service["Spec"], service.get("UpdateStatus") or {}
    wanted = [one for one in tasks if is_wanted(one)]
    running = [one for one in wanted if one["Status"]["State"] == "running"]
    replicated = spec["Mode"].get("Replicated")
    return ServiceView(
        id=service["ID"],
        name=spec["Name"],
        component=(spec["Labels"] or {}).get(COMPONENT_LABEL, ""),
        wanted=replicated.get("Replicas", 1) if replicated is not None else len(wanted),
        running=len(running),
        updated=sum(one["Spec"]["ContainerSpec"] == spec["TaskTemplate"]["ContainerSpec"] for one in running),
        image=spec["TaskTemplate"]["ContainerSpec"]["Image"],
        update=update.get("State", ""),
        message=update.get("Message", ""),
        began=update.get("StartedAt") or "",
    )


def ports(service: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return the ports in a service's containers, such as `8000/tcp`, with the nodes' ports that lead to them."""
    found = (service["Spec"].get("EndpointSpec") or {}).get("Ports") or ()
    return [(f"{one['TargetPort']}/{one['Protocol']}", one["PublishedPort"]) for one in found if "PublishedPort" in one]


def _ports(service: Mapping[str, Any]) -> Document:
    found: Document = {}
    for inner, outer in ports(service):
        found.setdefault(inner, []).append({"HostIp": "0.0.0.0", "HostPort": str(outer)})  # noqa: S104 - as it is
    return found


def _replica(task: Mapping[str, Any]) -> str:
    return f".{task['Slot']}" if task.get("Slot") else ""


def _mount(mount: Mapping[str, Any]) -> Document:
    kind = mount["Type"]
    read_only = mount.get("ReadOnly", False)
    return {"Type": kind, "Name": mount.get("Source", ""), "Destination": mount["Target"], "RW": not read_only}
