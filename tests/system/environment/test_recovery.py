"""Whatever happens to an environment or to an update of it, the same command once more ends healthy, with its data."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit, urlunsplit

import asyncpg  # type: ignore[import-untyped]
import docker
import pytest

from infra.naming import SERVICES
from infra.outputs import StackOutputs
from tests.system import damage, environments, moments
from tests.system.checkout import Checkout
from tests.system.environments import Environment
from tests.system.running import succeed

MOMENTS = {
    "update begun": (moments.update_begun, damage.kill_group),
    "callback removed": (moments.removed("callback"), damage.kill_all),
    "app removed": (moments.removed("app"), damage.kill_group),
    "postgres made": (moments.made("postgres"), damage.kill_all),
    "app made": (moments.made("app"), damage.kill_group),
}
"""Spread over an update that replaces every container, and what is killed then."""

FIRST_MOMENTS = {
    "network made": (moments.network_made, damage.kill_all),
    "postgres made": (moments.made("postgres"), damage.kill_group),
}
"""The same for one that makes everything."""


async def _query(checkout: Checkout, statement: str, *values: str) -> object:
    outputs = StackOutputs.model_validate(checkout.outputs())
    assert outputs.database_dsn
    dsn = urlunsplit(urlsplit(outputs.database_dsn.get_secret_value())._replace(query=""))
    connection = await asyncpg.connect(dsn, ssl=ssl.create_default_context(cadata=outputs.ca_certificate))
    try:
        return await connection.fetchval(statement, *values)
    finally:
        await connection.close()


def _assert_whole(checkout: Checkout, client: docker.DockerClient) -> None:
    assert environments.is_up(client, checkout.stack)
    succeed(checkout.pulumi("preview", "--stack", checkout.stack, "--expect-no-changes"))
    labelled = environments.labelled(checkout.stack)
    assert len(client.containers.list(all=True, filters=labelled)) == 2 * len(SERVICES)
    assert len(client.networks.list(filters=labelled)) == 1


@pytest.mark.parametrize("moment", MOMENTS)
async def test_an_update_that_was_killed_goes_on(further: Environment, checkout: Checkout, moment: str) -> None:
    await _query(checkout, "CREATE TABLE IF NOT EXISTS kept (moment text)")
    await _query(checkout, "INSERT INTO kept VALUES ($1)", moment)
    # Other limits would be set without a replacement; another health check never is.
    checkout.configure(health={"interval": "9s"})
    moments.kill(moments.now(checkout, further.client), *MOMENTS[moment], "up", checkout.stack)
    checkout.up()
    _assert_whole(checkout, further.client)
    assert await _query(checkout, "SELECT count(*) > 0 FROM kept WHERE moment = $1", moment)


def test_a_replacement_that_was_killed_half_way_goes_on(further: Environment, checkout: Checkout) -> None:
    # Its settings follow from its memory: they are replaced too, and Redis depends on them.
    checkout.configure(redis={"memory": "201m"})
    scene = moments.now(checkout, further.client)
    moments.kill(scene, lambda _: checkout.awaits_replacement("redis"), damage.kill_all, "up", checkout.stack)
    checkout.up()
    _assert_whole(checkout, further.client)


@pytest.mark.parametrize("moment", FIRST_MOMENTS)
def test_a_first_update_that_was_killed_goes_on(checkout: Checkout, client: docker.DockerClient, moment: str) -> None:
    succeed(checkout.dashtam("destroy", checkout.stack, "--yes", "--no-snapshot"))
    labelled = environments.labelled(checkout.stack)
    assert not client.containers.list(all=True, filters=labelled)
    assert not client.networks.list(filters=labelled)
    assert not client.volumes.list(filters=labelled)
    checkout.configure()
    moments.kill(moments.now(checkout, client), *FIRST_MOMENTS[moment], "up", checkout.stack)
    checkout.up()
    _assert_whole(checkout, client)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_an_update_that_was_asked_to_stop_goes_on(
    further: Environment, checkout: Checkout, signal_number: signal.Signals
) -> None:
    checkout.configure(postgres={"memory": "901m"}, app={"memory": "701m"})
    scene = moments.now(checkout, further.client)
    process = checkout.start("up", checkout.stack)
    with damage.at_latest_killed(process):
        while not moments.update_begun(scene):
            assert not damage.ends_within(process, 0.01)
        damage.interrupt(process, signal_number)
        assert process.wait(60) != 0
    checkout.up()
    _assert_whole(checkout, further.client)


def _remove(environment: Environment, service: str) -> None:
    environment.container(service).remove(v=True, force=True)


def _stop(environment: Environment, service: str) -> None:
    environment.container(service).stop()


def _kill(environment: Environment, service: str) -> None:
    environment.container(service).kill()


def _pause(environment: Environment, service: str) -> None:
    environment.container(service).pause()


@pytest.mark.parametrize(
    "harms",
    [{"app": _remove, "redis": _stop}, {"postgres": _kill, "callback": _pause}],
    ids=["removed and stopped", "killed and paused"],
)
def test_services_that_came_to_harm_come_back(
    further: Environment, checkout: Checkout, harms: dict[str, Callable[[Environment, str], None]]
) -> None:
    for service, harm in harms.items():
        harm(further, service)
    checkout.up()
    _assert_whole(checkout, further.client)


def test_everything_comes_back(further: Environment, checkout: Checkout) -> None:
    for container in further.containers().values():
        container.remove(v=True, force=True)
    further.client.networks.get(further.outputs.network).remove()
    checkout.up()
    _assert_whole(checkout, further.client)


def test_a_network_that_was_removed_comes_back(further: Environment, checkout: Checkout) -> None:
    network = further.client.networks.get(further.outputs.network)
    for service in SERVICES:
        network.disconnect(further.container(service), force=True)
    network.remove()
    checkout.up()
    _assert_whole(checkout, further.client)


def test_the_lock_of_a_dead_process_is_removed(further: Environment, checkout: Checkout) -> None:
    with subprocess.Popen(["true"]) as dead:
        dead.wait()
    lock = checkout.backend / f".pulumi/locks/organization/dashtam/{checkout.stack}/left-behind.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "pid": dead.pid,
        "username": "root",
        "hostname": socket.gethostname(),
        "timestamp": "2026-01-01T00:00:00Z",
    }
    lock.write_text(json.dumps(content))
    checkout.up()
    assert not lock.exists()
    assert environments.is_up(further.client, checkout.stack)


def test_a_state_that_was_killed_in_the_writing_is_read_again(further: Environment, checkout: Checkout) -> None:
    # Pulumi writes this file in place, and reads no state beside one that is broken off.
    (checkout.backend / f".pulumi/stacks/dashtam/{checkout.stack}.json.attrs").write_text("")
    assert checkout.pulumi("stack", "export", "--stack", checkout.stack).returncode != 0
    checkout.up()
    _assert_whole(checkout, further.client)


def test_two_at_the_same_time_take_turns(further: Environment, checkout: Checkout) -> None:
    checkout.configure(app={"memory": "702m"})
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(checkout.dashtam, "up", checkout.stack) for _ in range(2)]
    for one in runs:
        succeed(one.result())
    _assert_whole(checkout, further.client)
