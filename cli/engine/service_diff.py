"""The properties of a Swarm's service as Pulumi's state records them and as the Swarm has them, in the same words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cli.engine.diff import NONE, Change, labels, variables


def service_changes(inputs: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[Change]:
    """Compare a service with its record."""
    spec = document["Spec"]
    was = _properties(inputs["taskSpec"], inputs.get("mode", {}))
    now = _properties(_as_recorded(spec["TaskTemplate"]), _as_recorded(spec["Mode"]))
    yield from ((name, was[name], now[name]) for name in was if was[name] != now[name])
    env = inputs["taskSpec"]["containerSpec"].get("env") or {}
    yield from variables(env, spec["TaskTemplate"]["ContainerSpec"].get("Env") or [], added=True)
    yield from labels(inputs, spec.get("Labels"))


def _as_recorded(part: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a part of a specification with its names as the record has them: `ReadOnly` is `readOnly` there."""
    if isinstance(part, Mapping):
        return {name[:1].lower() + name[1:]: _as_recorded(value) for name, value in part.items()}
    return [_as_recorded(one) for one in part] if isinstance(part, list) else part


def _properties(task: Mapping[str, Any], mode: Mapping[str, Any]) -> dict[str, str]:
    container, limits = task["containerSpec"], (task.get("resources") or {}).get("limits") or {}
    replicated = mode.get("replicated")
    return {
        "image": container["image"],
        "replicas": "on every node" if replicated is None else str(replicated.get("replicas", 1)),
        "command": " ".join(container.get("args") or []) or NONE,
        "user": container.get("user") or NONE,
        "memory": f"{limits.get('memoryBytes', 0) >> 20} MB",
        "secrets": ", ".join(sorted(one["secretName"] for one in container.get("secrets") or [])) or NONE,
        "nodes": ", ".join((task.get("placement") or {}).get("constraints") or []) or NONE,
        "readOnly": str(container.get("readOnly", False)).lower(),
    }
