"""A stack of which some services run: the others have no container, and keep everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.config.placement import Placement, written
from infra.outputs import StackOutputs
from tests.infra.conftest import stack_config
from tests.infra.recording import SERVICES, run_program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.infra.recording import Deployment

CHOSEN = ("postgres", "redis")


@pytest.fixture(scope="module")
def some(variables: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    record = tmp_path_factory.mktemp("clone") / "placements.json"
    record.write_text(written({"dev": Placement(source="dev", name="dev", services=CHOSEN)}))
    return run_program("dev", stack_config("dev"), dict(variables), record)


def test_the_others_have_no_container_and_keep_all_else(some: Deployment, declare: Callable[[str], Deployment]) -> None:
    def names(deployment: Deployment, *, containers: bool) -> set[tuple[str, str]]:
        kinds = ("Container", "RemoteImage")
        return {(one.type, one.name) for one in deployment.resources if one.type.endswith(kinds) is containers}

    assert names(some, containers=False) == names(declare("dev"), containers=False)
    assert {one.inputs["name"] for one in some.of("Container")} == {
        *(f"dashtam-dev-{service}" for service in CHOSEN),
        *(f"dashtam-dev-{service}-files" for service in SERVICES),
    }
    assert {one.name for one in some.of("RemoteImage")} == set(CHOSEN)


def test_the_outputs_say_what_runs_and_how_the_app_runs_elsewhere(some: Deployment) -> None:
    outputs = StackOutputs.model_validate(some.exports)
    assert {name for name, one in outputs.containers if one} == set(CHOSEN)
    assert {name for name, port in outputs.ports if port} == set(CHOSEN)
    assert set(outputs.urls.model_dump().values()) == {None}
    assert outputs.volumes.keys() == set(CHOSEN)
    own = outputs.app_environment or {}
    assert own["DATABASE_HOST"] == "127.0.0.1"
    assert (own["DATABASE_PORT"], own["APP_PORT"], own["CALLBACK_PORT"]) == ("5432", "8000", "8182")
    assert own["LISTEN_ADDRESS"] == "127.0.0.1"
    assert own["PUBLIC_URL"] == "https://localhost:8000"
    assert {value for name, value in own.items() if name.endswith("PASSWORD_FILE")} == {
        "/run/secrets/database-password",
        "/run/secrets/redis-password",
    }


def test_where_all_run_the_app_runs_in_its_container(declare: Callable[[str], Deployment]) -> None:
    assert StackOutputs.model_validate(declare("dev").exports).app_environment is None
