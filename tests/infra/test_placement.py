"""A stack that is put elsewhere: its names, ports and redirects are its place's, and everything else is as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.config.placement import Placement, written
from tests.infra.conftest import messages, stack_config
from tests.infra.recording import SERVICES, run_program

if TYPE_CHECKING:
    from tests.infra.recording import Deployment

PORTS = {"postgres": 23010, "redis": 23011, "app": 23012, "callback": 23013, "sandbox": 23014}
NAME = "dev-3f2a"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record of a clone that is not the first to bring up dev."""
    record = tmp_path_factory.mktemp("clone") / "placements.json"
    record.write_text(written({"dev": Placement(source="dev", name=NAME, ports=PORTS)}))
    return record


@pytest.fixture(scope="module")
def placed(variables: dict[str, str], record: Path) -> Deployment:
    """dev of that clone."""
    return run_program("dev", stack_config("dev"), variables, record)


def shown(deployment: Deployment) -> list[dict[str, Any]]:
    """Return everything that is declared, in an order that doesn't depend on who was faster."""
    declared = [{"type": one.type, "name": one.name, "inputs": one.inputs} for one in deployment.resources]
    return sorted(declared, key=lambda one: (one["type"], one["name"]))


def test_every_name_is_its_places(placed: Deployment) -> None:
    assert {one.inputs["name"] for one in placed.of("Container")} == {
        f"dashtam-{NAME}-{component}" for component in (*SERVICES, "files")
    }
    assert {one.inputs["name"] for one in placed.of("Volume")} == {
        *(f"dashtam-{NAME}-{service}-files" for service in SERVICES),
        f"postgres_{NAME}_data",
        f"redis_{NAME}_data",
    }
    assert [one.inputs["name"] for one in placed.of("Network")] == [f"dashtam-{NAME}-network"]


def test_labels_still_say_which_stack_it_is(placed: Deployment) -> None:
    for one in [*placed.of("Container"), *placed.of("Network"), *placed.of("Volume")]:
        assert one.labels["dashtam.stack"] == "dev"
        assert one.labels["dashtam.owner"] == placed.owner


def test_every_port_is_its_places(placed: Deployment) -> None:
    published = {name: placed.service(name).inputs["ports"] for name in SERVICES}
    assert {name: port["external"] for name, (port,) in published.items()} == PORTS
    assert placed.exports["ports"] == {**PORTS, "debugger": None}


def test_browsers_are_sent_to_its_ports_and_nobody_elses(placed: Deployment) -> None:
    redirect, issuer, app = "https://127.0.0.1:23013", "https://localhost:23014", "https://localhost:23012"
    environments = {name: placed.service(name).inputs["envs"] for name in SERVICES}
    assert {f"OAUTH_REDIRECT_URI={redirect}", f"PUBLIC_URL={app}"} <= set(environments["app"])
    assert {f"REDIRECT_URI={redirect}", f"ISSUER={issuer}"} <= set(environments["sandbox"])
    assert f"PUBLIC_URL={app}" in environments["callback"]
    (provider,) = json.loads(placed.file("app", "providers.json"))
    assert (provider["issuer"], provider["authorization_endpoint"]) == (issuer, f"{issuer}/auth")
    assert placed.exports["oauth_redirect_uri"] == redirect
    assert placed.exports["urls"]["callback"] == "https://localhost:23013"


def test_its_certificates_are_good_for_its_names(placed: Deployment) -> None:
    for name in SERVICES:
        hosts = placed.named("CertRequest", f"{name}-request").inputs["dnsNames"]
        assert hosts == [name, f"dashtam-{NAME}-{name}", "localhost"]


def test_a_preview_shows_where_it_is_put(
    variables: dict[str, str], record: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    run_program("test", stack_config("test"), variables, record)
    assert messages(caplog) == []
    run_program("dev", stack_config("dev"), variables, record)
    [message] = messages(caplog)
    assert message.startswith(f"dev has the name {NAME}, the config of dev and the ports postgres 23010, redis 23011, ")
    assert message.endswith(f": see {record}.")


def test_everything_else_is_as_in_its_own_place(placed: Deployment, declare: Callable[[str], Deployment]) -> None:
    plain = declare("dev")
    ports = {str(declared): str(PORTS[name]) for name, declared in plain.exports["ports"].items() if declared}
    inside = {"8000": "app", "5432": "postgres", "6379": "redis", "8182": "callback", "8282": "sandbox"}
    assert set(ports) == set(inside)  # dev publishes each service where it listens, so those may differ or not
    for before, after in zip(without_digests(plain), without_digests(placed), strict=True):
        text = json.dumps(before).replace("dashtam-dev-", f"dashtam-{NAME}-").replace("_dev_", f"_{NAME}_")
        rest = json.dumps(after).replace(f"ENVIRONMENT={NAME}", "ENVIRONMENT=dev")
        for old, new in ports.items():
            text, rest = text.replace(old, new), rest.replace(old, new)
        assert rest == text


def without_digests(deployment: Deployment) -> list[Any]:
    """Return what is declared, with the files as they are in place of archives and digests, in which names are."""
    text = re.sub(r'\b[0-9a-f]{64}\b|(?<="contentBase64": ")[^"]+', "", json.dumps(shown(deployment)))
    found: list[Any] = json.loads(text)
    return [*found, *(deployment.files(service) for service in SERVICES)]
