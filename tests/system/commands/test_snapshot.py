"""Snapshots of a running environment: taken without a lost connection, listed and deleted."""

from __future__ import annotations

import asyncio
import json
import math
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.system import damage, environments
from tests.system.commands import snapshots
from tests.system.running import succeed, wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents

PAUSED_WITHIN = 60
"""Seconds from the start of the command."""
OTHERS = (signal.SIGHUP, signal.SIGINT)
"""That each signal does the same is in tests/unit/cli/core/test_signals.py."""


def _started(checkout: Checkout, client: docker.DockerClient) -> dict[str, str]:
    """Return when each container was started, by its id."""
    found = client.api.containers(filters=environments.labelled(checkout.stack))
    return {one["Id"]: client.api.inspect_container(one["Id"])["State"]["StartedAt"] for one in found}


async def test_no_connection_is_lost_and_the_next_update_replaces_nothing(
    small: Checkout, small_contents: Contents, client: docker.DockerClient
) -> None:
    before = _started(small, client)
    async with small_contents.session() as session:
        backend = await session.fetchval("SELECT pg_backend_pid()")
        seen = 0
        taking = asyncio.create_task(asyncio.to_thread(snapshots.take, small))
        while not taking.done():
            assert await session.fetchval("SELECT pg_backend_pid()") == backend
            seen += 1
            await asyncio.wait([taking], timeout=0.01)
        assert seen
        path = taking.result()
        assert await session.fetchval("SELECT pg_backend_pid()") == backend
    # Until a check ends, the engine calls unhealthy what was paused.
    small.up()
    assert _started(small, client) == before
    wait_until(lambda: environments.is_up(client, small.stack, services=small.services), "the services are healthy")

    listed = json.loads(succeed(small.dashtam("snapshot", "list", small.stack, "--json")))["snapshots"]
    rows = {one["name"]: one for one in listed}
    assert rows[path.name]["bytes"] > 0
    assert rows[path.name]["damage"] is None
    succeed(small.dashtam("snapshot", "delete", small.stack, path.name, "--yes"))
    assert not path.exists()


@contextmanager
def _paused(checkout: Checkout, client: docker.DockerClient, said: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Take a snapshot, and stop the command once services are paused, so that they can be looked at."""
    now = math.ceil(time.time())
    # Without `since` the engine repeats earlier events, such as the pauses of other snapshots.
    pauses = client.events(
        since=now, until=now + PAUSED_WITHIN, filters={**environments.labelled(checkout.stack), "event": "pause"}
    )
    process = checkout.start("snapshot", "create", checkout.stack, said=said)
    with damage.at_latest_killed(process):
        next(pauses)
        process.send_signal(signal.SIGSTOP)
        assert "paused" in _states(checkout, client)
        yield process


def _states(checkout: Checkout, client: docker.DockerClient) -> set[str]:
    return {client.containers.get(f"dashtam-{checkout.stack}-{name}").status for name in ("postgres", "redis")}


async def test_paused_services_run_again_when_the_command_is_killed(
    small: Checkout, small_contents: Contents, client: docker.DockerClient, tmp_path: Path
) -> None:
    before = await small_contents.digest()
    with _paused(small, client, tmp_path / "said") as process:
        damage.kill_group(process)
    wait_until(lambda: _states(small, client) == {"running"}, "Postgres and Redis run")
    assert await small_contents.digest() == before
    path = snapshots.take(small)
    assert [one.name for one in path.parent.iterdir() if one.name.startswith(".")] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, *(pytest.param(one, marks=pytest.mark.campaign) for one in OTHERS)])
async def test_paused_services_run_again_before_the_command_ends_at_a_signal(
    small: Checkout, small_contents: Contents, client: docker.DockerClient, number: signal.Signals, tmp_path: Path
) -> None:
    before, said = await small_contents.digest(), tmp_path / "said"
    with _paused(small, client, said) as process:
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        assert process.wait(60) == 128 + number
        assert _states(small, client) == {"running"}
    assert "Interrupted. Run the same command again" in said.read_text()
    assert await small_contents.digest() == before
    assert [one for one in (small.home / "snapshots").rglob(".*") if one.is_dir()] == []
