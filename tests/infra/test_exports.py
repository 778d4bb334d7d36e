from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from infra.outputs import StackOutputs
from tests.infra.conftest import stack_config
from tests.infra.engine_double import ID
from tests.infra.recording import run_program

if TYPE_CHECKING:
    from tests.infra.recording import Deployment

    Declare = Callable[[str], Deployment]

DSNS = {"database_dsn", "redis_dsn", "internal_database_dsn", "internal_redis_dsn"}
OPTIONAL = {"database_dsn", "redis_dsn", "app_on_host", "target"}


def test_the_exports_are_complete_and_valid(deployment: Deployment) -> None:
    outputs = StackOutputs.model_validate(deployment.exports)
    absent = {name for name in OPTIONAL if getattr(outputs, name) is None}
    assert set(deployment.exports) == set(StackOutputs.model_fields) - absent


def test_dsns_are_secret_and_nothing_else_needs_to_be(deployment: Deployment) -> None:
    assert deployment.secret_exports == DSNS & set(deployment.exports)
    clear = {name: value for name, value in deployment.exports.items() if name not in deployment.secret_exports}
    assert deployment.secret not in json.dumps(clear)


@pytest.mark.parametrize(
    ("stack", "ports"),
    [
        ("dev", (8000, 5432, 6379, 8182, 8282)),
        ("test", (8001, 5433, 6380, 8183, 8283)),
        ("review-42", (8010, 5444, 6391, 8192, 8292)),
    ],
)
def test_the_host_is_told_where_everything_is(declare: Declare, stack: str, ports: tuple[int, ...]) -> None:
    exports = declare(stack).exports
    app, postgres, redis, callback, sandbox = ports
    assert exports["ports"] == {
        "app": app,
        "postgres": postgres,
        "redis": redis,
        "callback": callback,
        "sandbox": sandbox,
        "debugger": None,
    }
    assert exports["urls"] == {
        "app": f"https://localhost:{app}",
        "docs": f"https://localhost:{app}/docs",
        "callback": f"https://localhost:{callback}",
        "sandbox": f"https://localhost:{sandbox}",
    }
    assert f"@127.0.0.1:{postgres}/" in exports["database_dsn"]
    assert exports["database_dsn"].endswith("?sslmode=verify-full")
    assert f"@127.0.0.1:{redis}/" in exports["redis_dsn"]


def test_ports_and_urls_are_where_the_config_says(variables: dict[str, str]) -> None:
    network = {"bind_address": "0.0.0.0", "hostname": "build.example"}
    config = {**stack_config("review-42"), "dashtam:network": json.dumps(network)}
    found = run_program("review-42", config, variables)
    published = [port for service in found.services for port in service.inputs.get("ports", [])]
    assert len(published) == 5
    assert {port["ip"] for port in published} == {"0.0.0.0"}
    assert found.exports["urls"]["app"] == "https://build.example:8010"
    assert "@build.example:5444/" in found.exports["database_dsn"]
    assert "@build.example:6391/" in found.exports["redis_dsn"]


def test_what_ci_does_not_publish_is_null(declare: Declare) -> None:
    outputs = StackOutputs.model_validate(declare("ci").exports)
    assert set(outputs.ports.model_dump().values()) == {None}
    assert set(outputs.urls.model_dump().values()) == {None}
    assert (outputs.database_dsn, outputs.redis_dsn) == (None, None)


def test_a_sandbox_that_is_switched_off_is_null(without_sandbox: Deployment) -> None:
    outputs = StackOutputs.model_validate(without_sandbox.exports)
    parts = (outputs.containers, outputs.images, outputs.ports, outputs.urls, outputs.internal_urls)
    assert {part.sandbox for part in parts} == {None}


def test_the_network_is_told_where_everything_is(deployment: Deployment) -> None:
    exports, secret = deployment.exports, deployment.secret
    database = exports["database"]
    assert exports["internal_urls"] == {
        "app": "https://app:8000",
        "docs": "https://app:8000/docs",
        "callback": "https://callback:8182",
        "sandbox": "https://sandbox:8282",
    }
    assert exports["internal_database_dsn"] == (
        f"postgresql://{database['user']}:{secret}-postgres-password@postgres:5432/{database['name']}"
        "?sslmode=verify-full"
    )
    assert exports["internal_redis_dsn"] == (
        f"rediss://dashtam:{secret}-redis-password@redis:6379/{exports['redis_database']}"
    )


def test_the_names_are_those_on_the_engine(deployment: Deployment) -> None:
    exports = deployment.exports
    assert exports["environment"] == deployment.stack
    assert exports["engine"] == ID
    assert exports["network"] == deployment.of("Network")[0].inputs["name"]
    assert {service.inputs["name"] for service in deployment.services} == set(exports["containers"].values())
    volumes = {volume.inputs["name"] for volume in deployment.of("Volume")}
    assert set(exports["volumes"].values()) == {name for name in volumes if name.endswith("_data")}
    images = {image.inputs["name"] for image in deployment.of("RemoteImage")}
    assert {reference for reference in exports["images"].values() if reference} == images


def test_the_ca_is_public(deployment: Deployment) -> None:
    assert deployment.exports["ca_certificate"] == "certificate ca"
