"""A stack of which some services run: the others have no container, and keep everything else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from infra.config.placement import Placement, written
from infra.outputs import StackOutputs
from tests.infra.conftest import messages, stack_config
from tests.infra.recording import SECRET, SERVICES, run_program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.infra.recording import Deployment

    Choose = Callable[..., Deployment]

CHOSEN = ("postgres", "redis")


@pytest.fixture(scope="module")
def choose(variables: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Choose:
    """Give what the program declares of a stack of which some services are to run."""

    def declared(*services: str, stack: str = "dev") -> Deployment:
        record = tmp_path_factory.mktemp("clone") / "placements.json"
        record.write_text(written({stack: Placement(source=stack, name=stack, services=services)}))
        return run_program(stack, stack_config(stack), dict(variables), record)

    return declared


@pytest.fixture(scope="module")
def some(choose: Choose) -> Deployment:
    return choose(*CHOSEN)


def test_the_others_have_no_container_and_keep_all_else(some: Deployment, declare: Callable[[str], Deployment]) -> None:
    def others(deployment: Deployment) -> set[tuple[str, str]]:
        kinds = ("Container", "RemoteImage")
        return {(one.type, one.name) for one in deployment.resources if not one.type.endswith(kinds)}

    assert others(some) == others(declare("dev"))
    names = {*CHOSEN, "files"}
    assert {one.inputs["name"] for one in some.of("Container")} == {f"dashtam-dev-{name}" for name in names}
    assert {one.name for one in some.of("RemoteImage")} == set(CHOSEN)
    assert all(some.files(service).keys() == declare("dev").files(service).keys() for service in SERVICES)


def test_plain_pulumi_says_so(choose: Choose, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    choose(*CHOSEN)
    [message] = messages(caplog)
    assert "Of dev only postgres, redis run; `./dashtam up dev` starts all" in message


def test_the_outputs_name_what_runs(some: Deployment) -> None:
    outputs = StackOutputs.model_validate(some.exports)
    for part in (outputs.containers, outputs.images, outputs.ports):
        assert {name for name, one in part if one} == set(CHOSEN)
    assert {*outputs.urls.model_dump().values(), *outputs.internal_urls.model_dump().values()} == {None}
    assert outputs.volumes.keys() == set(CHOSEN)


def test_the_app_can_run_on_the_host(some: Deployment, declare: Callable[[str], Deployment]) -> None:
    document = json.loads(some.exports["app_on_host"])
    variables, files = document["variables"], document["files"]
    inside = declare("dev").service("app").inputs["envs"]
    assert {name.partition("=")[0] for name in inside} <= variables.keys() | files.keys()
    assert variables["DATABASE_HOST"] == variables["REDIS_HOST"] == variables["LISTEN_ADDRESS"] == "127.0.0.1"
    ports = [variables[name] for name in ("DATABASE_PORT", "REDIS_PORT", "APP_PORT", "CALLBACK_PORT")]
    assert ports == ["5432", "6379", "8000", "8182"]
    assert variables["PUBLIC_URL"] == "https://localhost:8000"
    assert files["DATABASE_PASSWORD_FILE"] == f"{SECRET}-postgres-password"
    assert [one["discovery_url"] for one in json.loads(files["PROVIDERS_FILE"])] == [
        "https://localhost:8282/.well-known/openid-configuration"
    ]
    assert SECRET not in json.dumps(variables)
    assert "/run/secrets" not in json.dumps(variables)
    assert "app_on_host" in some.secret_exports


def test_the_app_runs_nowhere_twice_and_not_without_what_it_needs(
    choose: Choose, declare: Callable[[str], Deployment]
) -> None:
    assert "app_on_host" not in declare("dev").exports
    alone = choose("redis").exports
    assert not {"app_on_host", "database_dsn"} & alone.keys()
    # Its services publish nothing.
    assert "app_on_host" not in choose(*CHOSEN, stack="ci").exports
