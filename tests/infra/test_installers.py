from __future__ import annotations

import re

import pulumi
import pytest
from pulumi.runtime import rpc

from tests.infra.conftest import stack_config
from tests.infra.recording import Deployment, Provider, run_into

INSTALL = (
    r"install -o (\d+) -g (\d+) -m 0400 /install/([a-z]+)/(\S+) /files/\3/\.new;"
    r" mv -f /files/\3/\.new /files/\3/\4;"
)
"""A reader finds each file whole, as it was or as it will be."""

TLS = {"ca.crt", "tls.crt", "tls.key"}
APP = {*TLS, "database-password", "redis-password", "secret-key", "providers.json", "token-keys.json"}
FILES = {
    "postgres": ({*TLS, "password", "pg_hba.conf", "pg_service.conf"}, "70", "70"),
    "redis": ({"ca.crt", "tls.crt", "tls.key", "password", "users.acl", "redis.conf"}, "999", "1000"),
    "app": (APP, "10001", "10001"),
    "callback": (TLS, "10001", "10001"),
    "sandbox": ({*TLS, "client-secret", "cookie-key", "signing-key", "redis-password"}, "10001", "10001"),
}


def test_the_installer_lives_for_a_moment_and_reaches_nothing(deployment: Deployment) -> None:
    inputs = deployment.installer.inputs
    assert inputs["networkMode"] == "none"
    assert (inputs["mustRun"], inputs["attach"]) == (False, True)
    assert inputs["capabilities"] == {"drops": ["ALL"], "adds": ["CHOWN", "DAC_OVERRIDE", "FOWNER"]}
    assert inputs["securityOpts"] == ["no-new-privileges:true"]
    assert inputs["memorySwap"] == inputs["memory"]
    assert inputs["tmpfs"] == {"/var/lib/postgresql/data": "size=1m"}
    assert not {"ports", "networksAdvanced", "privileged", "envs", "healthcheck"} & set(inputs)


def test_new_files_mean_a_new_installer(deployment: Deployment) -> None:
    assert deployment.installer.request.deleteBeforeReplace


@pytest.mark.parametrize("service", list(FILES))
def test_each_service_gets_its_files_and_no_others(deployment: Deployment, service: str) -> None:
    names, uid, gid = FILES[service]
    inputs = deployment.installer.inputs
    assert deployment.files(service).keys() == names
    (script,) = inputs["command"]
    assert inputs["entrypoints"] == ["sh", "-euc"]
    installed = [found for found in re.findall(INSTALL, script) if found[2] == service]
    assert {found[3] for found in installed} == names
    assert {found[:2] for found in installed} == {(uid, gid)}


@pytest.mark.parametrize("service", list(FILES))
def test_each_service_reads_its_own_volume_and_cannot_write_it(deployment: Deployment, service: str) -> None:
    volume = f"dashtam-{deployment.stack}-{service}-files"
    written = [one for one in deployment.installer.inputs["mounts"] if one["source"] == volume]
    assert written == [{"type": "volume", "source": volume, "target": f"/files/{service}"}]
    reading = [mount for mount in deployment.service(service).inputs["mounts"] if mount["target"] == "/run/secrets"]
    assert reading == [{"type": "volume", "source": volume, "target": "/run/secrets", "readOnly": True}]


def test_each_service_gets_its_own_certificate(deployment: Deployment) -> None:
    for service in FILES:
        files = deployment.files(service)
        assert files["tls.crt"] == f"certificate {service}-certificate"
        assert files["tls.key"] == f"{deployment.secret}-{service}-key"
        assert files["ca.crt"] == "certificate ca"


def test_a_service_is_labelled_with_what_is_installed(deployment: Deployment) -> None:
    """Not with what would be: an update may leave the installer out."""
    for name in FILES:
        digest = deployment.service(name).labels["dashtam.files"]
        assert re.fullmatch("[0-9a-f]{64}", digest)
        assert digest == deployment.installer.labels[f"dashtam.files.{name}"]


def test_without_an_installer_no_service_starts(variables: dict[str, str]) -> None:
    deployment = Deployment("test")
    with pytest.raises(pulumi.RunError, match=r"dashtam-test-files, which installs .*, is not there"):
        run_into(deployment, stack_config("test"), variables, Provider({}, {"dashtam-test-files": rpc.UNKNOWN}))
    assert "dashtam-test-app" not in {one.name for one in deployment.of("Container")}


@pytest.mark.parametrize("status", [1, 137])
def test_one_that_fails_fails_the_update_before_its_service(variables: dict[str, str], status: int) -> None:
    deployment = Deployment("test")
    failing = Provider({}, {"dashtam-test-files": status})
    with pytest.raises(pulumi.RunError, match=f"dashtam-test-files .*: exit status {status}") as failed:
        run_into(deployment, stack_config("test"), variables, failing)
    assert "`./dashtam up`" in str(failed.value)
    made = {one.name for one in deployment.of("Container")}
    assert "dashtam-test-files" in made
    assert "dashtam-test-app" not in made
