"""`down` keeps all that matters, whenever it is broken off."""

from __future__ import annotations

import json
from typing import Any

import docker
import pytest

from infra.naming import COMPONENT_LABEL, SERVICES
from tests.system import damage, environments, moments
from tests.system.checkout import Checkout
from tests.system.running import succeed

MOMENTS = {
    "update begun": (moments.update_begun, damage.kill_all),
    "app stopped": (moments.stopped("app"), damage.kill_group),
    "app removed": (moments.removed("app"), damage.kill_all),
    "postgres removed": (moments.removed("postgres"), damage.kill_group),
    "all removed": (moments.all_gone, damage.kill_all),
}
"""Spread over what `down` does, and what is killed then."""


def _rows(checkout: Checkout) -> str:
    query = "select string_agg(t, ',') from kept_by_down"
    return succeed(checkout.dashtam("db-shell", checkout.stack, "--", "-tAc", query))


def _keep(checkout: Checkout, row: str) -> None:
    made = "create table if not exists kept_by_down (t text); truncate kept_by_down"
    filled = f"insert into kept_by_down values ('{row}')"  # noqa: S608 - our own
    succeed(checkout.dashtam("db-shell", checkout.stack, "--", "-qc", f"{made}; {filled}"))
    assert succeed(checkout.dashtam("redis-cli", checkout.stack, "SET", "kept", row)) == "OK\n"


def _secrets(checkout: Checkout) -> dict[str, Any]:
    outputs = checkout.outputs()
    return {name: outputs[name] for name in ("ca_certificate", "database_dsn", "redis_dsn")}


def _assert_whole(checkout: Checkout, client: docker.DockerClient, row: str) -> None:
    assert environments.is_up(client, checkout.stack)
    assert _rows(checkout) == f"{row}\n"
    assert succeed(checkout.dashtam("redis-cli", checkout.stack, "GET", "kept")) == f"{row}\n"
    succeed(checkout.pulumi("preview", "--stack", checkout.stack, "--expect-no-changes"))


def test_up_goes_on_where_down_stopped(checkout: Checkout, client: docker.DockerClient) -> None:
    _keep(checkout, "stopped")
    before = _secrets(checkout)
    labelled = environments.labelled(checkout.stack)
    volumes = {one.name for one in client.volumes.list(filters=labelled)}
    succeed(checkout.dashtam("down", checkout.stack))
    assert not client.containers.list(all=True, filters=labelled)
    assert not client.networks.list(filters=labelled)
    assert {one.name for one in client.volumes.list(filters=labelled)} == volumes
    kinds = [one["type"] for one in json.loads(_state(checkout))["deployment"]["resources"]]
    assert "docker:index/container:Container" not in kinds
    assert "docker:index/network:Network" not in kinds
    assert kinds.count("docker:index/volume:Volume") == len(SERVICES) + 2
    assert json.loads(succeed(checkout.dashtam("down", checkout.stack, "--json"))) == [{"environment": checkout.stack}]
    checkout.up()
    assert _secrets(checkout) == before
    _assert_whole(checkout, client, "stopped")


def _state(checkout: Checkout) -> str:
    return succeed(checkout.pulumi("stack", "export", "--stack", checkout.stack))


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_was_killed_goes_on(checkout: Checkout, client: docker.DockerClient, moment: str) -> None:
    _keep(checkout, moment)
    moments.kill(moments.now(checkout, client), *MOMENTS[moment], "down", checkout.stack)
    checkout.up()
    _assert_whole(checkout, client, moment)


def test_services_that_came_to_harm_go_too(checkout: Checkout, client: docker.DockerClient) -> None:
    _keep(checkout, "harm")
    client.containers.get(f"dashtam-{checkout.stack}-postgres").stop()
    client.containers.get(f"dashtam-{checkout.stack}-redis").remove(force=True)
    succeed(checkout.dashtam("down", checkout.stack))
    assert not client.containers.list(all=True, filters=environments.labelled(checkout.stack))
    checkout.up()
    _assert_whole(checkout, client, "harm")


def test_what_runs_beside_it_stays_at_up_and_goes_at_down(checkout: Checkout, client: docker.DockerClient) -> None:
    app = client.containers.get(f"dashtam-{checkout.stack}-app")
    beside = client.containers.run(
        app.attrs["Image"],
        ["-c", "import sys; sys.stdin.read()"],
        entrypoint=["python"],
        name=f"dashtam-{checkout.stack}-tests",
        labels={**app.labels, COMPONENT_LABEL: "tests"},
        network=f"dashtam-{checkout.stack}-network",
        stdin_open=True,
        detach=True,
    )
    checkout.up()
    beside.reload()
    assert beside.status == "running"
    succeed(checkout.dashtam("down", checkout.stack))
    assert not client.containers.list(all=True, filters=environments.labelled(checkout.stack))
    checkout.up()


def test_what_was_removed_meanwhile_is_made_anew(checkout: Checkout, client: docker.DockerClient) -> None:
    _keep(checkout, "removed")
    succeed(checkout.dashtam("down", checkout.stack))
    client.volumes.get(f"postgres_{checkout.stack}_data").remove()
    checkout.up()
    assert environments.is_up(client, checkout.stack)
    volume = client.volumes.get(f"postgres_{checkout.stack}_data")
    assert volume.attrs["Labels"]["dashtam.stack"] == checkout.stack
    succeed(checkout.pulumi("preview", "--stack", checkout.stack, "--expect-no-changes"))


def test_an_environment_that_there_is_none_of_is_refused(checkout: Checkout) -> None:
    done = checkout.dashtam("down", "nonsense")
    assert done.returncode == 2
    assert "There is no environment 'nonsense'." in done.stderr
