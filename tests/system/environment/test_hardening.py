"""Containers as the engine runs them: what they may not do, and that they really can't."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from cli.engine.container import TESTS
from infra.naming import COMPONENT_LABEL, OWNER_LABEL, PROJECT_LABEL, SERVICES, STACK_LABEL
from tests.system.environments import USERS, Environment, each_service, labelled

Document = dict[str, Any]

PROMISES: dict[str, Callable[[Document], bool]] = {
    "root is read-only": lambda c: c["HostConfig"]["ReadonlyRootfs"] is True,
    "no capability": lambda c: c["HostConfig"]["CapDrop"] == ["ALL"] and not c["HostConfig"]["CapAdd"],
    "no privileges": lambda c: c["HostConfig"]["Privileged"] is False,
    "no new privileges": lambda c: "no-new-privileges:true" in c["HostConfig"]["SecurityOpt"],
    "bounded memory": lambda c: c["HostConfig"]["MemorySwap"] == c["HostConfig"]["Memory"] > 0,
    "bounded processes": lambda c: c["HostConfig"]["PidsLimit"] == 1024,
    "an init reaps": lambda c: c["HostConfig"]["Init"] is True,
    "logs rotate": lambda c: (
        c["HostConfig"]["LogConfig"] == {"Type": "json-file", "Config": {"max-file": "3", "max-size": "16m"}}
    ),
    "a health check": lambda c: (
        bool(c["Config"]["Healthcheck"]["Test"]) and c["State"]["Health"]["Status"] == "healthy"
    ),
    "no host namespace": lambda c: (
        "host" not in {c["HostConfig"][kind] for kind in ("PidMode", "IpcMode", "UsernsMode")}
    ),
    "no device": lambda c: not c["HostConfig"]["Devices"],
    "the engine out of reach": lambda c: not any("docker.sock" in mount["Source"] for mount in c["Mounts"]),
    "no shared /tmp": lambda c: "/tmp" in c["HostConfig"]["Tmpfs"],  # noqa: S108 - the container's own
}


PLACES = ("/", "/etc", "/usr/bin", "/run/secrets", "/var/lib", "/srv")
IDENTITY = "id -u; id -g; grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/1/status"
WRITING = f'for place in {" ".join(PLACES)}; do touch "$place/intruder" 2>&1 && echo "$place was written"; done; true'


def test_the_engine_holds_every_service_to_the_promises(every: dict[str, Environment]) -> None:
    documents = {name: environment.inspect(service) for name, environment, service in each_service(every)}
    broken = [
        (name, promise) for name, one in documents.items() for promise, keeps in PROMISES.items() if not keeps(one)
    ]
    assert broken == []


def test_every_service_runs_as_a_user_who_is_nobody_else(every: dict[str, Environment]) -> None:
    found, expected = {}, {}
    for name, environment, service in each_service(every):
        found[name] = environment.execute(service, "sh", "-c", IDENTITY)
        uid, gid = USERS[service]
        none = "0" * 16
        expected[name] = (0, f"{uid}\n{gid}\nCapEff:\t{none}\nCapBnd:\t{none}\nNoNewPrivs:\t1\n")
    assert found == expected


def test_no_service_writes_anywhere_else(every: dict[str, Environment]) -> None:
    answers = {name: one.execute(service, "sh", "-c", WRITING) for name, one, service in each_service(every)}
    refused = [rf"touch: .*{place.rstrip('/')}/intruder.*: Read-only file system" for place in PLACES]
    other = {
        name: answer
        for name, answer in answers.items()
        if not re.fullmatch("\n".join([*refused, ""]), answer[1]) or answer[0] != 0
    }
    assert other == {}


def test_every_service_carries_the_labels_it_is_found_by(every: dict[str, Environment]) -> None:
    found, expected = {}, {}
    for name, environment, service in each_service(every):
        expected[name] = {
            PROJECT_LABEL: "dashtam",
            STACK_LABEL: environment.name,
            COMPONENT_LABEL: service,
            OWNER_LABEL: environment.environ["DASHTAM_CLONE"],
        }
        labels = environment.inspect(service)["Config"]["Labels"]
        found[name] = {label: labels.get(label) for label in expected[name]}
    assert found == expected


@pytest.mark.parametrize("part", ["test", "ci", "further"])
def test_the_network_and_the_volumes_are_labelled_too(every: dict[str, Environment], part: str) -> None:
    environment = every[part]
    # Another clone may have an environment of the same name.
    chosen = labelled(environment.name, environment.environ["DASHTAM_CLONE"])
    networks = [one["Name"] for one in environment.client.api.networks(filters=chosen)]
    assert networks == [environment.outputs.network]
    components = {
        one["Name"]: one["Labels"][COMPONENT_LABEL] for one in environment.client.api.volumes(filters=chosen)["Volumes"]
    }
    # One of files for each service, and its data. What runs tests inside ci has a volume of its own, if it runs now.
    assert set(environment.outputs.volumes.values()) <= set(components)
    expected = [*SERVICES, *environment.outputs.volumes]
    assert sorted(one for one in components.values() if one != TESTS) == sorted(expected)
