from __future__ import annotations

import copy
from typing import Any

import pytest

from cli.engine.diff import HIDDEN, changes, labels, replacement_changes

INPUTS: dict[str, Any] = {
    "name": "dashtam-test-app",
    "image": "sha256:a",
    "command": ["python", "-m", "app.run.app"],
    "user": "10001:10001",
    "envs": ["DEBUG=true", "EMPTY="],
    "labels": [{"label": "dashtam.stack", "value": "test"}],
    "networksAdvanced": [{"name": "net", "aliases": ["app"]}],
    "ports": [{"internal": 8000, "external": 8001, "ip": "127.0.0.1", "protocol": "tcp"}],
    "mounts": [{"type": "volume", "source": "files", "target": "/run/secrets", "readOnly": True}],
    "tmpfs": {"/scratch": "rw"},
    "memory": 768,
    "memorySwap": 768,
    "restart": "unless-stopped",
    "readOnly": True,
    "init": True,
    "capabilities": {"drops": ["ALL"]},
    "securityOpts": ["no-new-privileges:true"],
    "ulimits": [{"name": "nofile", "soft": 1024, "hard": 1024}],
    "healthcheck": {
        "tests": ["CMD", "x"],
        "interval": "500ms",
        "timeout": "14.5s",
        "startPeriod": "1m30s",
        "retries": 5,
    },
    "logDriver": "json-file",
    "logOpts": {"max-size": "16m"},
    "mustRun": True,
}
DOCUMENT: dict[str, Any] = {
    "Name": "/dashtam-test-app",
    "Image": "sha256:a",
    "State": {"Status": "running", "ExitCode": 0},
    "Config": {
        "Cmd": ["python", "-m", "app.run.app"],
        "User": "10001:10001",
        "Env": ["DEBUG=true", "EMPTY=", "PATH=/bin"],
        "Labels": {"dashtam.stack": "test", "of.the.image": "1"},
        "Healthcheck": {
            "Test": ["CMD", "x"],
            "Interval": 500_000_000,
            "Timeout": 14_500_000_000,
            "StartPeriod": 90_000_000_000,
            "Retries": 5,
        },
    },
    "HostConfig": {
        "PortBindings": {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8001"}], "8182/tcp": None},
        "Mounts": [{"Type": "volume", "Source": "files", "Target": "/run/secrets", "ReadOnly": True}],
        "Tmpfs": {"/scratch": "rw"},
        "Memory": 768 << 20,
        "MemorySwap": 768 << 20,
        "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
        "ReadonlyRootfs": True,
        "Init": True,
        "CapAdd": None,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 1024}],
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "16m"}},
        "Privileged": False,
        "NanoCpus": 0,
        "CpusetCpus": "",
        "PidsLimit": None,
        "CpuQuota": -1,
    },
    "NetworkSettings": {"Networks": {"net": {"Aliases": ["app", "0123456789ab"]}}},
}


def _document(path: str, value: object) -> dict[str, Any]:
    changed = copy.deepcopy(DOCUMENT)
    *parents, last = path.split(".")
    place = changed
    for parent in parents:
        place = place[parent]
    place[last] = value
    return changed


def test_what_is_as_recorded_is_no_change() -> None:
    assert list(changes(INPUTS, DOCUMENT)) == []
    assert list(replacement_changes(INPUTS, DOCUMENT)) == []


@pytest.mark.parametrize(
    ("path", "value", "change"),
    [
        ("Name", "/other", ("name", "dashtam-test-app", "other")),
        ("State", {"Status": "exited", "ExitCode": 3}, ("state", "running", "exited (3)")),
        ("State", {"Status": "paused", "ExitCode": 0}, ("state", "running", "paused")),
        ("HostConfig.MemorySwap", 900 << 20, ("memorySwap", "768 MB", "900 MB")),
        ("HostConfig.MemorySwap", 1, ("memorySwap", "768 MB", "9.53674e-07 MB")),
        ("HostConfig.RestartPolicy", {"Name": ""}, ("restart", "unless-stopped", "no")),
        ("HostConfig.NanoCpus", 500_000_000, ("NanoCpus", "none", "500000000")),
        ("HostConfig.PidsLimit", 200, ("PidsLimit", "none", "200")),
        ("NetworkSettings.Networks", {}, ("network net", "connected", "not connected")),
        ("NetworkSettings.Networks", {"net": {"Aliases": None}}, ("network net", "known as app", "not known as app")),
        (
            "NetworkSettings.Networks",
            {**DOCUMENT["NetworkSettings"]["Networks"], "more": {}},
            ("network more", "not connected", "connected"),
        ),
    ],
)
def test_a_change_of_a_container_that_lives(path: str, value: object, change: tuple[str, str, str]) -> None:
    assert list(changes(INPUTS, _document(path, value))) == [change]


def test_a_kernel_that_does_not_count_swap_is_no_change() -> None:
    assert list(changes(INPUTS, _document("HostConfig.MemorySwap", -1))) == []


@pytest.mark.parametrize(
    ("path", "value", "change"),
    [
        ("Image", "sha256:b", ("image", "sha256:a", "sha256:b")),
        ("Config.Cmd", ["sh"], ("command", "python -m app.run.app", HIDDEN)),
        ("Config.User", "0", ("user", "10001:10001", HIDDEN)),
        ("Config.Env", ["DEBUG=secret", "EMPTY="], ("env DEBUG", "true", HIDDEN)),
        ("Config.Env", ["DEBUG=true"], ("env EMPTY", "", "none")),
        ("Config.Labels", None, ("label dashtam.stack", "test", "none")),
        ("HostConfig.PortBindings", None, ("ports", "127.0.0.1:8001 -> 8000/tcp", "none")),
        ("HostConfig.Mounts", None, ("mounts", "volume files -> /run/secrets (read-only)", "none")),
        ("HostConfig.Privileged", True, ("privileged", "no", "yes")),
        ("HostConfig.CapDrop", None, ("capabilities dropped", "ALL", "none")),
        ("HostConfig.Init", None, ("init", "yes", "no")),
        ("HostConfig.Tmpfs", {"/scratch": "rw", "/x": ""}, ("tmpfs", "/scratch rw", "/scratch rw, /x ")),
        (
            "Config.Healthcheck",
            None,
            ("healthcheck", "CMD x (interval 0.5 s, timeout 14.5 s, start 90 s, retries 5)", "none"),
        ),
    ],
)
def test_a_change_of_what_is_fixed_for_life(path: str, value: object, change: tuple[str, str, str]) -> None:
    document = _document(path, value)
    assert list(replacement_changes(INPUTS, document)) == [change]
    assert list(changes(INPUTS, document)) == []


def test_a_container_that_installs_files_ends_by_itself() -> None:
    inputs = {**INPUTS, "mustRun": False, "networkMode": "none", "networksAdvanced": []}
    document = _document("State", {"Status": "exited", "ExitCode": 0}) | {"NetworkSettings": {"Networks": {"none": {}}}}
    assert list(changes(inputs, document)) == []


def test_labels_of_anything() -> None:
    assert list(labels(INPUTS, {"dashtam.stack": "dev"})) == [("label dashtam.stack", "test", "dev")]
