"""Containers as the engine runs them: what they may not do, and that they really can't."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from infra.naming import COMPONENT_LABEL, OWNER_LABEL, PROJECT_LABEL, SERVICES, STACK_LABEL
from tests.system.environments import USERS, Environment

PARTS = ("test", "ci", "further")
Document = dict[str, Any]

PROMISES: dict[str, Callable[[Document], bool]] = {
    "root is read-only": lambda c: c["HostConfig"]["ReadonlyRootfs"] is True,
    "no capability": lambda c: c["HostConfig"]["CapDrop"] == ["ALL"] and not c["HostConfig"]["CapAdd"],
    "no privileges": lambda c: c["HostConfig"]["Privileged"] is False,
    "no new privileges": lambda c: "no-new-privileges:true" in c["HostConfig"]["SecurityOpt"],
    "bounded memory": lambda c: c["HostConfig"]["MemorySwap"] == c["HostConfig"]["Memory"] > 0,
    "bounded processes": lambda c: [limit["Hard"] for limit in c["HostConfig"]["Ulimits"]] == [1024],
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


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("part", PARTS)
def test_the_engine_holds_it_to(every: dict[str, Environment], part: str, service: str, promise: str) -> None:
    assert PROMISES[promise](every[part].inspect(service))


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("part", PARTS)
def test_runs_as_a_user_who_is_nobody_else(every: dict[str, Environment], part: str, service: str) -> None:
    status, said = every[part].execute(
        service, "sh", "-c", "id -u; id -g; grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/1/status"
    )
    assert status == 0
    uid, gid, *rest = said.split()
    assert (int(uid), int(gid)) == USERS[service]
    facts = dict(zip(rest[::2], rest[1::2], strict=True))
    assert (int(facts["CapEff:"], 16), int(facts["CapBnd:"], 16), facts["NoNewPrivs:"]) == (0, 0, "1")


@pytest.mark.parametrize("place", ["/", "/etc", "/usr/bin", "/run/secrets", "/var/lib", "/srv"])
@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("part", PARTS)
def test_writes_nowhere_else(every: dict[str, Environment], part: str, service: str, place: str) -> None:
    status, said = every[part].execute(service, "sh", "-c", f"cd {place} 2>/dev/null || exit 3; touch {place}/intruder")
    assert status == 3 or (status != 0 and "Read-only file system" in said), said


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("part", PARTS)
def test_carries_the_labels_it_is_found_by(every: dict[str, Environment], part: str, service: str) -> None:
    environment = every[part]
    found = environment.inspect(service)["Config"]["Labels"]
    owner = environment.environ["DASHTAM_CLONE"]
    expected = {PROJECT_LABEL: "dashtam", STACK_LABEL: environment.name, COMPONENT_LABEL: service, OWNER_LABEL: owner}
    assert expected.items() <= found.items()


@pytest.mark.parametrize("part", PARTS)
def test_the_network_and_the_volumes_are_labelled_too(every: dict[str, Environment], part: str) -> None:
    environment = every[part]
    # Another clone may have an environment of the same name.
    labelled = {"label": [f"{STACK_LABEL}={environment.name}", f"{OWNER_LABEL}={environment.environ['DASHTAM_CLONE']}"]}
    networks = {one.name for one in environment.client.networks.list(filters=labelled)}
    volumes = {one.name for one in environment.client.volumes.list(filters=labelled)}
    assert networks == {environment.outputs.network}
    assert volumes >= set(environment.outputs.volumes.values())
    assert len(volumes) == len(environment.outputs.volumes) + len(SERVICES)
