"""Whatever happens to an environment that is up, `up` makes it whole again."""

from __future__ import annotations

import json
import socket
import subprocess
from typing import TYPE_CHECKING

from tests.system import damage
from tests.system.environment.whole import assert_whole

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.checkout import Checkout
    from tests.system.environments import Environment


def _remove(environment: Environment, service: str) -> None:
    environment.container(service).remove(v=True, force=True)


def _stop(environment: Environment, service: str) -> None:
    environment.container(service).stop()


def _kill(environment: Environment, service: str) -> None:
    environment.container(service).kill()


def _pause(environment: Environment, service: str) -> None:
    damage.pause(environment.container(service))


def test_services_that_came_to_harm_come_back_whatever_a_killed_pulumi_left(
    standing: Environment, checkout: Checkout
) -> None:
    harms = {"app": _remove, "redis": _stop, "postgres": _kill, "callback": _pause}
    for service, harm in harms.items():
        harm(standing, service)
    lock = _leave_behind(checkout)
    checkout.up()
    assert not lock.exists()
    assert_whole(checkout, standing.client)


def test_everything_comes_back(standing: Environment, checkout: Checkout) -> None:
    for container in standing.containers().values():
        container.remove(v=True, force=True)
    standing.client.networks.get(standing.outputs.network).remove()
    checkout.up()
    assert_whole(checkout, standing.client)


def _leave_behind(checkout: Checkout) -> Path:
    """Leave what a killed Pulumi does; return its lock."""
    lock = checkout.backend / f".pulumi/locks/organization/dashtam/{checkout.stack}/left-behind.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(
        json.dumps(
            {
                "pid": _dead(),
                "username": "root",
                "hostname": socket.gethostname(),
                "timestamp": "2026-01-01T00:00:00Z",
            }
        )
    )
    # Pulumi writes this file in place, and reads no state beside one that is broken off.
    (checkout.backend / f".pulumi/stacks/dashtam/{checkout.stack}.json.attrs").write_text("")
    assert checkout.pulumi("stack", "export", "--stack", checkout.stack).returncode != 0
    return lock


def _dead() -> int:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid
