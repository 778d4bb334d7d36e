from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.infra.conftest import stack_config
from tests.infra.recording import SECRET, SERVICES, is_secret, run_program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.recording import Deployment

HOLDERS: dict[str, set[str]] = {
    "postgres-password": {"postgres", "app"},
    "redis-password": {"redis", "app"},
    "session-key": {"app"},
    "token-k1-key": {"app"},
    "sandbox-client-password": {"sandbox", "app"},
    "sandbox-redis-password": {"sandbox"},
    "sandbox-cookie-key": {"sandbox"},
    "sandbox-signing-key": {"sandbox"},
}
"""Who may read what."""


def test_the_recorded_program_holds_secrets(deployment: Deployment) -> None:
    """Or the other tests here would find nothing whatever the program did."""
    files = [deployment.files(service) for service in SERVICES]
    sent = json.dumps([*files, *(resource.inputs for resource in deployment.resources)])
    for name in (*HOLDERS, "ca-key", "app-key"):
        assert f"{deployment.secret}-{name}" in sent


def test_no_secret_is_sent_in_clear(deployment: Deployment) -> None:
    for resource in deployment.resources:
        assert deployment.secret not in resource.shown, resource.name


def test_no_secret_is_anywhere_in_a_container_but_in_its_uploads(deployment: Deployment) -> None:
    for container in deployment.of("Container"):
        rest = {name: value for name, value in container.inputs.items() if name != "uploads"}
        assert deployment.secret not in json.dumps(rest), container.name
    assert all("uploads" not in service.inputs for service in deployment.services)
    assert is_secret(deployment.installer.raw["uploads"][0]["contentBase64"])


def test_secrets_go_to_their_users_alone(deployment: Deployment) -> None:
    holders = {**HOLDERS, "ca-key": set(), **{f"{service}-key": {service} for service in SERVICES}}
    for name, expected in holders.items():
        content = re.compile(rf"{deployment.secret}-{name}(?![a-z0-9-])")
        found = {
            service for service in SERVICES if any(content.search(text) for text in deployment.files(service).values())
        }
        assert found == expected, name


def test_secrets_in_no_label_or_name_of_anything(deployment: Deployment) -> None:
    for resource in deployment.resources:
        assert deployment.secret not in resource.name
        assert deployment.secret not in json.dumps(resource.inputs.get("labels", []))
        assert deployment.secret not in str(resource.inputs.get("name"))


def test_passwords_are_long_and_need_no_quoting(deployment: Deployment) -> None:
    passwords = deployment.of("RandomPassword")
    assert {password.name for password in passwords} == {
        "postgres-password",
        "redis-password",
        "sandbox-client-password",
        "sandbox-redis-password",
    }
    for password in passwords:
        assert password.inputs["length"] >= 32
        assert password.inputs["special"] is False
    assert [key.inputs["length"] for key in deployment.of("RandomBytes")] == [32] * 3


@pytest.mark.parametrize(("kind", "name"), [("RandomPassword", "postgres-password"), ("RandomBytes", "token-k1-key")])
def test_what_guards_data_is_deleted_after_it(deployment: Deployment, kind: str, name: str) -> None:
    guard = deployment.named(kind, name)
    for volume in (one for one in deployment.of("Volume") if one.name.startswith("postgres_")):
        assert volume.depends_on(guard)
        assert not guard.depends_on(volume)
    assert "keepers" not in guard.inputs


def test_the_session_key_of_earlier_versions_is_the_same_one(deployment: Deployment) -> None:
    [earlier] = deployment.named("RandomBytes", "session-key").request.aliases
    assert earlier.spec.parentUrn.endswith("dashtam:index:Environment$dashtam:index:App::app")


def test_the_cache_knows_the_password_by_its_digest(deployment: Deployment) -> None:
    acl = deployment.file("redis", "users.acl")
    assert deployment.secret not in acl
    assert "user default off" in acl.splitlines()


def test_builds_get_the_proxy_as_a_secret(variables: dict[str, str], tmp_path: Path) -> None:
    proxy = {"HTTPS_PROXY": f"http://me:{SECRET}@proxy.example:3128", "DOCKER_CONFIG": str(tmp_path)}
    deployment = run_program("review-42", stack_config("review-42"), {**variables, **proxy})
    built = [image for image in deployment.of("RemoteImage") if "build" in image.inputs]
    assert {image.name for image in built} >= {"production", "callback", "sandbox"}
    for image in built:
        assert image.inputs["build"]["buildArgs"]["HTTPS_PROXY"] == proxy["HTTPS_PROXY"]
        assert image.inputs["build"]["buildArgs"]["https_proxy"] == proxy["HTTPS_PROXY"]
        assert SECRET not in image.shown
