"""The properties of a Swarm's service as Pulumi's state records them and as the Swarm has them, in the same words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cli.engine.diff import HIDDEN, NONE, Change, labels


def service_changes(inputs: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[Change]:
    """Compare a service with its record."""
    spec = document["Spec"]
    was, now = _recorded(inputs), _actual(spec)
    yield from ((name, was[name], now[name]) for name in was if was[name] != now[name])
    yield from _variables(inputs, spec["TaskTemplate"]["ContainerSpec"])
    yield from labels(inputs, spec.get("Labels"))


def _recorded(inputs: Mapping[str, Any]) -> dict[str, str]:
    task = inputs["taskSpec"]
    container, limits = task["containerSpec"], (task.get("resources") or {}).get("limits") or {}
    replicated = inputs.get("mode", {}).get("replicated")
    return {
        "image": container["image"],
        "replicas": "on every node" if replicated is None else str(replicated.get("replicas", 1)),
        "command": " ".join(container.get("args") or []) or NONE,
        "user": container.get("user") or NONE,
        "memory": f"{limits.get('memoryBytes', 0) >> 20} MB",
        "secrets": ", ".join(sorted(one["secretName"] for one in container.get("secrets") or [])) or NONE,
        "nodes": ", ".join((task.get("placement") or {}).get("constraints") or []) or NONE,
        "read_only": str(container.get("readOnly", False)).lower(),
    }


def _actual(spec: Mapping[str, Any]) -> dict[str, str]:
    task = spec["TaskTemplate"]
    container, limits = task["ContainerSpec"], (task.get("Resources") or {}).get("Limits") or {}
    replicated = spec["Mode"].get("Replicated")
    return {
        "image": container["Image"],
        "replicas": "on every node" if replicated is None else str(replicated.get("Replicas", 1)),
        "command": " ".join(container.get("Args") or []) or NONE,
        "user": container.get("User") or NONE,
        "memory": f"{limits.get('MemoryBytes', 0) >> 20} MB",
        "secrets": ", ".join(sorted(one["SecretName"] for one in container.get("Secrets") or [])) or NONE,
        "nodes": ", ".join((task.get("Placement") or {}).get("Constraints") or []) or NONE,
        "read_only": str(container.get("ReadOnly", False)).lower(),
    }


def _variables(inputs: Mapping[str, Any], container: Mapping[str, Any]) -> Iterator[Change]:
    was = inputs["taskSpec"]["containerSpec"].get("env") or {}
    now = dict(one.split("=", 1) for one in container.get("Env") or [])
    for name in sorted({*was, *now}):
        if was.get(name) != now.get(name):
            # What somebody set by hand may be a secret.
            yield f"variable {name}", str(was.get(name, NONE)), HIDDEN if name in now else NONE
