"""Whatever happens to an update of an environment, the same command once more ends healthy, with its data."""

from __future__ import annotations

import contextlib
import json
import signal
import ssl
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit, urlunsplit

import asyncpg  # type: ignore[import-untyped]
import docker
import pytest
import yaml

from infra.outputs import StackOutputs
from tests.system import damage, environments, moments
from tests.system.checkout import Checkout
from tests.system.environment.whole import assert_whole
from tests.system.environments import Environment
from tests.system.running import succeed

MOMENTS = {
    "update begun": (moments.update_begun, damage.kill_group),
    "postgres made": (moments.made("postgres"), damage.kill_all),
}
"""Before and after an update that replaces every container removes the first one, and what is killed then."""

MORE_MOMENTS = {
    "callback removed": (moments.removed("callback"), damage.kill_all),
    "app removed": (moments.removed("app"), damage.kill_group),
    "app made": (moments.made("app"), damage.kill_group),
}

FIRST_MOMENTS = {
    "network made": (moments.network_made, damage.kill_all),
    "postgres made": (moments.made("postgres"), damage.kill_group),
}
"""The same for an update that makes everything."""


def _change(checkout: Checkout) -> None:
    """Change the config in a way that replaces every container: other limits would be set without, a check never is."""
    present = yaml.safe_load(checkout.config_file.read_text())["config"]["dashtam:health"].get("interval")
    checkout.configure(health={"interval": "8s" if present == "9s" else "9s"})


async def _query(checkout: Checkout, statement: str, *values: str) -> object:
    outputs = StackOutputs.model_validate(checkout.outputs())
    assert outputs.database_dsn
    dsn = urlunsplit(urlsplit(outputs.database_dsn.get_secret_value())._replace(query=""))
    connection = await asyncpg.connect(dsn, ssl=ssl.create_default_context(cadata=outputs.ca_certificate))
    try:
        return await connection.fetchval(statement, *values)
    finally:
        await connection.close()


async def _remember(checkout: Checkout, moment: str) -> None:
    await _query(checkout, "CREATE TABLE IF NOT EXISTS moments (moment text)")
    await _query(checkout, "INSERT INTO moments VALUES ($1)", moment)


async def _assert_remembered(checkout: Checkout, moment: str) -> None:
    assert await _query(checkout, "SELECT count(*) > 0 FROM moments WHERE moment = $1", moment)


def _interrupt(checkout: Checkout, client: docker.DockerClient, number: signal.Signals) -> None:
    """Ask an update to stop once it has begun."""
    scene = moments.now(checkout, client)
    process = checkout.start("up", checkout.stack)
    with damage.at_latest_killed(process):
        while not moments.update_begun(scene):
            assert not damage.ends_within(process, 0.01)
        damage.interrupt(process, number)
        assert process.wait(60) == 128 + number


def _update_twice_at_once(checkout: Checkout) -> None:
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(checkout.dashtam, "up", checkout.stack) for _ in range(2)]
    for one in runs:
        succeed(one.result())


async def test_an_update_goes_on_from_wherever_those_before_ended(standing: Environment, checkout: Checkout) -> None:
    """One was interrupted, one killed before it changed anything, one half-way; two at once take turns."""
    await _remember(checkout, "several")
    _change(checkout)
    _interrupt(checkout, standing.client, signal.SIGINT)
    for moment in MOMENTS.values():
        moments.kill(moments.now(checkout, standing.client), *moment, "up", checkout.stack)
    _update_twice_at_once(checkout)
    assert_whole(checkout, standing.client)
    await _assert_remembered(checkout, "several")


@pytest.mark.campaign
@pytest.mark.parametrize("moment", MOMENTS | MORE_MOMENTS)
async def test_an_update_that_was_killed_goes_on(standing: Environment, checkout: Checkout, moment: str) -> None:
    await _remember(checkout, moment)
    _change(checkout)
    moments.kill(moments.now(checkout, standing.client), *(MOMENTS | MORE_MOMENTS)[moment], "up", checkout.stack)
    checkout.up()
    assert_whole(checkout, standing.client)
    await _assert_remembered(checkout, moment)


@pytest.mark.campaign
def test_a_replacement_that_was_killed_half_way_goes_on(standing: Environment, checkout: Checkout) -> None:
    # Its settings follow from its memory: they are replaced too, and Redis depends on them.
    checkout.configure(redis={"memory": "201m"})
    scene = moments.now(checkout, standing.client)
    moments.kill(scene, lambda _: _awaits_replacement(checkout), damage.kill_all, "up", checkout.stack)
    checkout.up()
    assert_whole(checkout, standing.client)


def _awaits_replacement(checkout: Checkout) -> bool:
    # Pulumi writes the state in place: what is read meanwhile may be half of it.
    with contextlib.suppress(json.JSONDecodeError):
        return checkout.awaits_replacement("redis")
    return False


@pytest.mark.campaign
@pytest.mark.parametrize("moment", FIRST_MOMENTS)
def test_a_first_update_that_was_killed_goes_on(checkout: Checkout, client: docker.DockerClient, moment: str) -> None:
    succeed(checkout.dashtam("destroy", checkout.stack, "--yes", "--no-snapshot"))
    labelled = environments.labelled(checkout.stack)
    assert client.api.containers(all=True, filters=labelled) == []
    assert client.api.networks(filters=labelled) == []
    assert not client.api.volumes(filters=labelled)["Volumes"]
    checkout.configure()
    moments.kill(moments.now(checkout, client), *FIRST_MOMENTS[moment], "up", checkout.stack)
    checkout.up()
    assert_whole(checkout, client)


@pytest.mark.campaign
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_update_that_was_asked_to_stop_goes_on(
    standing: Environment, checkout: Checkout, number: signal.Signals
) -> None:
    _change(checkout)
    _interrupt(checkout, standing.client, number)
    checkout.up()
    assert_whole(checkout, standing.client)


@pytest.mark.campaign
def test_two_at_the_same_time_take_turns(standing: Environment, checkout: Checkout) -> None:
    _change(checkout)
    _update_twice_at_once(checkout)
    assert_whole(checkout, standing.client)
