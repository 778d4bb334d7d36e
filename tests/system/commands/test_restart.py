"""`restart` on a real environment: in order, to the end, and told when it fails."""

from __future__ import annotations

import json
import math
import shutil
import signal
import time
from pathlib import Path

import docker
import pytest

from infra.catalogue import REDIS
from infra.naming import SERVICES
from tests.system import damage, environments
from tests.system.checkout import Checkout
from tests.system.commands.contents import Contents
from tests.system.commands.restoring import Restore, killed_when
from tests.system.running import succeed, wait_until

STOPPED_WITHIN = 60
"""Seconds from the start of the command."""


def _states(checkout: Checkout, client: docker.DockerClient) -> dict[str, dict[str, str]]:
    return {
        service: client.containers.get(f"dashtam-{checkout.stack}-{service}").attrs["State"] for service in SERVICES
    }


def test_services_are_restarted_in_the_order_of_their_needs(checkout: Checkout, client: docker.DockerClient) -> None:
    before = _states(checkout, client)
    said = checkout.dashtam("restart", checkout.stack)
    succeed(said)
    assert environments.is_up(client, checkout.stack)
    after = _states(checkout, client)
    assert all(after[service]["StartedAt"] > before[service]["StartedAt"] for service in SERVICES)
    stopped = {service: after[service]["FinishedAt"] for service in SERVICES}
    assert stopped["callback"] < stopped["app"] < min(stopped["postgres"], stopped["sandbox"])
    assert stopped["sandbox"] < stopped["redis"]
    started = {service: after[service]["StartedAt"] for service in SERVICES}
    assert max(started["postgres"], started["sandbox"]) < started["app"] < started["callback"]
    assert started["redis"] < started["sandbox"]
    for service in SERVICES:
        assert f"{checkout.stack} {service}: stopping" in said.stderr
        assert f"{checkout.stack} {service}: healthy" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.campaign)])
def test_what_was_stopped_runs_again_when_the_command_ends_at_a_signal(
    checkout: Checkout, client: docker.DockerClient, number: signal.Signals
) -> None:
    before, now = _states(checkout, client), math.ceil(time.time())
    ends = client.events(
        since=now, until=now + STOPPED_WITHIN, filters={**environments.labelled(checkout.stack), "event": "die"}
    )
    process = checkout.start("restart", checkout.stack)
    with damage.at_latest_killed(process):
        next(ends)
        process.send_signal(number)
        assert process.wait(90) == 128 + number
    after = _states(checkout, client)
    assert {service: state["Status"] for service, state in after.items()} == dict.fromkeys(SERVICES, "running")
    assert after["callback"]["StartedAt"] > before["callback"]["StartedAt"]
    wait_until(lambda: environments.is_up(client, checkout.stack), "healthy again", 60)


HALF = """
cd /data
ls -A .dashtam-restore/volume > .dashtam-restore/names
mkdir .dashtam-restore/old.1
mv appendonlydir .dashtam-restore/old.1/
"""
"""What a switch that is killed in the middle leaves of a cache: the old is away, the new is not in its place."""


async def test_a_restore_that_was_broken_off_is_finished_first(
    checkout: Checkout, client: docker.DockerClient, tmp_path: Path
) -> None:
    contents = Contents(checkout, client, tmp_path, checkout.stack)
    await contents.fill()
    kept = await contents.digest()
    succeed(checkout.dashtam("snapshot", "create", checkout.stack, "before"))
    await contents.fill()
    redis = client.containers.get(f"dashtam-{checkout.stack}-redis")
    process = checkout.start("snapshot", "restore", checkout.stack, "before", "--yes", "--no-snapshot")
    await killed_when(process, Restore(checkout, client).is_switching)
    redis.stop()
    volume = {f"redis_{checkout.stack}_data": {"bind": "/data", "mode": "rw"}}
    image = redis.image
    assert image
    command = ["sh", "-euc", HALF]
    client.containers.run(
        image.id or "", command, entrypoint=[], user=REDIS.user, volumes=volume, remove=True, network_mode="none"
    )
    redis.start()
    wait_until(lambda: redis.exec_run(["test", "-d", "/data/appendonlydir"]).exit_code == 0, "Redis makes its log")
    said = checkout.dashtam("restart", checkout.stack, "redis")
    succeed(said)
    assert f"A restore of {checkout.stack} was interrupted; it is finished now." in said.stderr
    assert environments.is_up(client, checkout.stack)
    assert await contents.digest() == kept
    shutil.rmtree(checkout.home / "snapshots" / checkout.stack / "before")


def test_a_service_that_fails_says_why_at_once_and_those_that_are_named_run_again(
    checkout: Checkout, client: docker.DockerClient
) -> None:
    volume = f"dashtam-{checkout.stack}-redis-files"
    image = client.containers.get(f"dashtam-{checkout.stack}-redis").image
    assert image
    reference = image.id or ""

    def rename(old: str, new: str) -> None:
        move = ["mv", f"/files/{old}", f"/files/{new}"]
        client.containers.run(
            reference,
            move,
            entrypoint=[],
            user="0:0",
            volumes=[f"{volume}:/files"],
            # In the place of the volume that the image asks for, which would stay behind.
            tmpfs={"/data": ""},
            remove=True,
            network_mode="none",
        )

    rename("redis.conf", "away")
    try:
        done = checkout.dashtam("restart", checkout.stack, "redis")
        assert done.returncode == 1
        assert f"{checkout.stack} is not healthy after the restart." in done.stderr
        assert "can't open config file" in done.stderr
    finally:
        rename("away", "redis.conf")
    # Of the two that are named, one has ended with its failure, and the other is paused.
    damage.pause(client.containers.get(f"dashtam-{checkout.stack}-sandbox"))
    before = _states(checkout, client)
    said = json.loads(succeed(checkout.dashtam("restart", checkout.stack, "redis", "sandbox", "--json")))
    [restarted] = said["environments"]
    assert (restarted["environment"], {*restarted["services"]}) == (checkout.stack, {"redis", "sandbox"})
    after = _states(checkout, client)
    changed = {service for service in SERVICES if after[service]["StartedAt"] != before[service]["StartedAt"]}
    assert changed == {"redis", "sandbox"}
    assert environments.is_up(client, checkout.stack)
