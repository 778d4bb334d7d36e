"""Snapshots of a running environment: taken without a lost connection, listed and deleted."""

from __future__ import annotations

import asyncio
import json
import math
import signal
import time
from typing import TYPE_CHECKING

from tests.system import damage, environments
from tests.system.commands import snapshots
from tests.system.running import succeed, wait_until

if TYPE_CHECKING:
    import docker

    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents

PAUSED_WITHIN = 60
"""Seconds from the start of the command."""


def _started(checkout: Checkout, client: docker.DockerClient) -> dict[str, str]:
    """Return when each container was started, by its id."""
    found = client.api.containers(filters=environments.labelled(checkout.stack))
    return {one["Id"]: client.api.inspect_container(one["Id"])["State"]["StartedAt"] for one in found}


async def test_no_connection_is_lost_and_the_next_update_replaces_nothing(
    checkout: Checkout, contents: Contents, client: docker.DockerClient
) -> None:
    before = _started(checkout, client)
    async with contents.session() as session:
        backend = await session.fetchval("SELECT pg_backend_pid()")
        seen = 0
        taking = asyncio.create_task(asyncio.to_thread(snapshots.take, checkout))
        while not taking.done():
            assert await session.fetchval("SELECT pg_backend_pid()") == backend
            seen += 1
            await asyncio.wait([taking], timeout=0.01)
        assert seen
        path = taking.result()
        assert await session.fetchval("SELECT pg_backend_pid()") == backend
    # Until a check ends, the engine calls unhealthy what was paused.
    checkout.up()
    assert _started(checkout, client) == before
    wait_until(lambda: environments.is_up(client, checkout.stack), "the services are healthy")

    listed = json.loads(succeed(checkout.dashtam("snapshot", "list", checkout.stack, "--json")))
    rows = {one["name"]: one for one in listed}
    assert rows[path.name]["bytes"] > 0
    assert rows[path.name]["damage"] is None
    succeed(checkout.dashtam("snapshot", "delete", checkout.stack, path.name, "--yes"))
    assert not path.exists()


async def test_paused_services_run_again_when_the_command_is_killed(
    checkout: Checkout, contents: Contents, client: docker.DockerClient
) -> None:
    before = await contents.digest()
    names = [f"dashtam-{checkout.stack}-{service}" for service in ("postgres", "redis")]

    def states() -> set[str]:
        return {client.containers.get(name).status for name in names}

    now = math.ceil(time.time())
    # Without `since` the engine repeats earlier events, such as the pauses of other snapshots.
    pauses = client.events(
        since=now, until=now + PAUSED_WITHIN, filters={**environments.labelled(checkout.stack), "event": "pause"}
    )
    process = checkout.start("snapshot", "create", checkout.stack)
    with damage.at_latest_killed(process):
        next(pauses)
        # So that it can't continue the services while they are looked at.
        process.send_signal(signal.SIGSTOP)
        assert "paused" in states()
        damage.kill_group(process)
    wait_until(lambda: states() == {"running"}, "Postgres and Redis run")
    assert await contents.digest() == before
    path = snapshots.take(checkout)
    assert [one.name for one in path.parent.iterdir() if one.name.startswith(".")] == []
