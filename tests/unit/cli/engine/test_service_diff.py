from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from cli.engine.diff import HIDDEN
from cli.engine.service_diff import service_changes

INPUTS: dict[str, Any] = {
    "labels": [{"label": "dashtam.stack", "value": "staging"}],
    "mode": {"replicated": {"replicas": 3}},
    "taskSpec": {
        "containerSpec": {
            "image": "image:1",
            "args": ["python", "-m", "app"],
            "user": "10001:10001",
            "env": {"A": "1"},
            "secrets": [{"secretName": "key-1"}],
            "readOnly": True,
        },
        "resources": {"limits": {"memoryBytes": 512 << 20}},
        "placement": {},
    },
}
ACTUAL: dict[str, Any] = {
    "Labels": {"dashtam.stack": "staging"},
    "Mode": {"Replicated": {"Replicas": 3}},
    "TaskTemplate": {
        "ContainerSpec": {
            "Image": "image:1",
            "Args": ["python", "-m", "app"],
            "User": "10001:10001",
            "Env": ["A=1"],
            "Secrets": [{"SecretName": "key-1"}],
            "ReadOnly": True,
        },
        "Resources": {"Limits": {"MemoryBytes": 512 << 20}},
        "Placement": {},
    },
}


def test_a_service_as_it_is_recorded() -> None:
    assert [*service_changes(INPUTS, {"Spec": ACTUAL})] == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda spec: spec["Mode"]["Replicated"].update(Replicas=1), ("replicas", "3", "1")),
        (lambda spec: spec["Mode"].pop("Replicated"), ("replicas", "3", "on every node")),
        (
            lambda spec: spec["TaskTemplate"]["ContainerSpec"].update(Image="other"),
            ("image", "image:1", "other"),
        ),
        (lambda spec: spec["TaskTemplate"]["Resources"]["Limits"].clear(), ("memory", "512 MB", "0 MB")),
        (lambda spec: spec["TaskTemplate"]["ContainerSpec"].update(ReadOnly=False), ("readOnly", "true", "false")),
        (lambda spec: spec["TaskTemplate"]["ContainerSpec"].update(Secrets=None), ("secrets", "key-1", "none")),
        (lambda spec: spec["TaskTemplate"]["ContainerSpec"].update(Env=["A=hidden"]), ("env A", "1", HIDDEN)),
        (lambda spec: spec["TaskTemplate"]["ContainerSpec"].update(Env=None), ("env A", "1", "none")),
        (lambda spec: spec["TaskTemplate"]["ContainerSpec"].update(Env=["A=1", "B"]), ("env B", "none", HIDDEN)),
        (lambda spec: spec["Labels"].clear(), ("label dashtam.stack", "staging", "none")),
    ],
)
def test_what_somebody_changed(change: Callable[[dict[str, Any]], object], expected: tuple[str, str, str]) -> None:
    spec = copy.deepcopy(ACTUAL)
    change(spec)
    assert [*service_changes(INPUTS, {"Spec": spec})] == [expected]
