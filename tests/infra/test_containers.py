from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.infra.recording import is_secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infra.recording import Deployment

SERVICES = ("postgres", "redis", "app", "callback", "sandbox")
USERS = {"postgres": "70:70", "redis": "999:1000", **dict.fromkeys(("app", "callback", "sandbox"), "10001:10001")}


def test_there_are_five_services_and_an_installer(deployment: Deployment) -> None:
    prefix = f"dashtam-{deployment.stack}-"
    assert {container.inputs["name"] for container in deployment.of("Container")} == {
        *(f"{prefix}{service}" for service in SERVICES),
        f"{prefix}files",
    }


def test_every_service_has_a_health_check_that_up_waits_for(deployment: Deployment) -> None:
    for service in deployment.services:
        check = service.inputs["healthcheck"]
        kind, command = check["tests"]
        assert kind == "CMD-SHELL"
        assert command
        assert check["retries"] >= 1
        assert (check["interval"], check["startPeriod"]) == ("500ms", "1m30s")
        assert service.inputs["wait"] is True
        assert service.inputs["waitTimeout"] == 100


@pytest.mark.parametrize(
    ("service", "part"),
    [
        ("postgres", "pg_isready"),
        ("redis", "--tls"),
        ("app", "/ready"),
        ("callback", "/health"),
        ("sandbox", "/health"),
    ],
)
def test_each_health_check_asks_the_service_itself(deployment: Deployment, service: str, part: str) -> None:
    assert part in " ".join(deployment.service(service).inputs["healthcheck"]["tests"])


def test_every_service_is_limited(deployment: Deployment) -> None:
    for service in deployment.services:
        assert service.inputs["memory"] >= 16
        assert service.inputs["memorySwap"] == service.inputs["memory"]
        # It would count the processes of every environment's containers together.
        assert "ulimits" not in service.inputs


def test_parallel_queries_have_what_the_database_s_memory_leaves(deployment: Deployment) -> None:
    for name in SERVICES:
        inputs = deployment.service(name).inputs
        if name == "postgres":
            assert 64 <= inputs["shmSize"] < inputs["memory"]
        else:
            assert "shmSize" not in inputs


def test_every_service_is_hardened(deployment: Deployment) -> None:
    for name in SERVICES:
        inputs = deployment.service(name).inputs
        assert inputs["readOnly"] is True
        assert inputs["capabilities"] == {"drops": ["ALL"]}
        assert inputs["securityOpts"] == ["no-new-privileges:true"]
        assert inputs["init"] is True
        assert inputs["user"] == USERS[name]
        assert not {"privileged", "pidMode", "ipcMode", "usernsMode", "devices", "hosts", "networkMode"} & set(inputs)


def test_what_is_writable_is_in_memory_or_the_data_volume(deployment: Deployment) -> None:
    for service in deployment.services:
        for options in service.inputs["tmpfs"].values():
            assert {"noexec", "nosuid", "nodev"} <= set(options.split(","))
            assert re.search(r"(^|,)size=\d+m(,|$)", options)
        writable = [mount for mount in service.inputs["mounts"] if not mount.get("readOnly")]
        assert all(mount["type"] == "volume" and mount["source"].endswith("_data") for mount in writable)


def test_every_service_rotates_its_log(deployment: Deployment) -> None:
    for service in deployment.services:
        assert service.inputs["logDriver"] == "json-file"
        assert service.inputs["logOpts"] == {"max-size": "16m", "max-file": "3"}


def test_every_service_may_stop_in_good_order(deployment: Deployment) -> None:
    assert [service.inputs["destroyGraceSeconds"] for service in deployment.services] == [30] * 5


def test_every_service_is_in_one_network_under_its_own_name(deployment: Deployment) -> None:
    for name in SERVICES:
        assert deployment.service(name).inputs["networksAdvanced"] == [
            {"name": f"dashtam-{deployment.stack}-network", "aliases": [name]},
        ]


def test_every_port_is_on_loopback(deployment: Deployment) -> None:
    published = [port for service in deployment.services for port in service.inputs.get("ports", [])]
    assert all(port["ip"] == "127.0.0.1" for port in published)
    assert len({port["external"] for port in published}) == len(published)


def test_everything_is_labelled(deployment: Deployment) -> None:
    labelled = [*deployment.of("Container"), *deployment.of("Network"), *deployment.of("Volume")]
    assert len(labelled) >= 6 + 1 + 5
    for resource in labelled:
        labels = {name: value for name, value in resource.labels.items() if not name.startswith("dashtam.files")}
        component = labels["dashtam.component"]
        assert component
        assert labels == {
            "dashtam.project": "dashtam",
            "dashtam.stack": deployment.stack,
            "dashtam.component": component,
            "dashtam.owner": deployment.owner,
        }
    for name in SERVICES:
        assert deployment.service(name).labels["dashtam.component"] == name


def test_everything_runs_by_the_id_of_an_image(deployment: Deployment) -> None:
    ids = {image.name: image for image in deployment.of("RemoteImage")}
    assert all(image.inputs["keepLocally"] is True for image in ids.values())
    for container in deployment.of("Container"):
        assert re.fullmatch("sha256:[0-9a-f]{64}", container.inputs["image"])
        assert any(container.depends_on(image) for image in ids.values())


def test_other_files_and_nothing_else_of_the_installer_replace_the_service(
    deployment: Deployment, declare: Callable[[str], Deployment]
) -> None:
    for name in SERVICES:
        service = deployment.service(name)
        digest = hashlib.sha256(json.dumps(deployment.files(name), sort_keys=True).encode()).hexdigest()
        assert service.labels["dashtam.files"] == digest
        assert service.request.deleteBeforeReplace
        assert not service.request.replace_with
    others = {declare(stack).service("app").labels["dashtam.files"] for stack in ("dev", "test", "ci")}
    assert len(others) == 3


def test_the_digest_of_files_is_readable_and_made_with_a_key(deployment: Deployment) -> None:
    for name in SERVICES:
        assert not is_secret(deployment.service(name).raw["labels"])
        assert deployment.secret in deployment.file(name, "tls.key")


def test_a_service_starts_when_its_files_are_there(deployment: Deployment) -> None:
    for name in SERVICES:
        assert deployment.service(name).depends_on(deployment.installer)


@pytest.mark.parametrize(
    ("service", "needed"), [("app", "postgres"), ("app", "redis"), ("app", "sandbox"), ("sandbox", "redis")]
)
def test_nothing_waits_for_what_it_needs_to_be_created(deployment: Deployment, service: str, needed: str) -> None:
    assert not deployment.service(service).depends_on(deployment.service(needed))


def test_every_resource_belongs_to_the_environment(deployment: Deployment) -> None:
    for resource in deployment.resources:
        if resource.type not in {"pulumi:pulumi:Stack", "dashtam:index:Environment"}:
            assert "dashtam:index:" in resource.request.parent
