"""Moments of a command that changes an environment, told by what it has done, not by a clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.naming import COMPONENT_LABEL, SERVICES
from tests.system import damage, environments

TIMEOUT = 90.0
"""Seconds until a command comes to a moment: less than a test may take."""

if TYPE_CHECKING:
    import subprocess

    import docker

    from tests.system.checkout import Checkout


@dataclass(frozen=True)
class Scene:
    """An environment that a command changes.

    Args:
        checkout: Its checkout.
        client: The engine.
        before: Ids of its containers by component, as they were before.
        known: Names of its snapshots before.
    """

    checkout: Checkout
    client: docker.DockerClient
    before: dict[str, str] = field(default_factory=dict)
    known: frozenset[str] = frozenset()

    def containers(self) -> dict[str, str]:
        """Return the ids of its containers now, by component."""
        found = self.client.api.containers(all=True, filters=environments.labelled(self.checkout.stack))
        return {one["Labels"][COMPONENT_LABEL]: one["Id"] for one in found}

    def running(self) -> set[str]:
        """Return the components that run now."""
        found = self.client.api.containers(filters=environments.labelled(self.checkout.stack))
        return {one["Labels"][COMPONENT_LABEL] for one in found}

    def volumes(self) -> set[str]:
        """Return the names of its volumes now."""
        found = self.client.api.volumes(filters=environments.labelled(self.checkout.stack))["Volumes"] or []
        return {one["Name"] for one in found}

    def snapshots(self) -> frozenset[str]:
        """Return the names of its snapshots now."""
        folders = (self.checkout.home / "snapshots" / self.checkout.stack).glob("[!.]*")
        return frozenset(one.name for one in folders)


Moment = Callable[[Scene], bool]


def now(checkout: Checkout, client: docker.DockerClient) -> Scene:
    """Return an environment as it is before a command."""
    scene = Scene(checkout, client)
    return Scene(checkout, client, scene.containers(), scene.snapshots())


def update_begun(scene: Scene) -> bool:
    """Tell whether Pulumi holds its lock on the stack."""
    return any(scene.checkout.backend.glob(f".pulumi/locks/organization/dashtam/{scene.checkout.stack}/*.json"))


def network_made(scene: Scene) -> bool:
    """Tell whether there is a network."""
    return bool(scene.client.api.networks(filters=environments.labelled(scene.checkout.stack)))


def network_gone(scene: Scene) -> bool:
    """Tell whether there is no network."""
    return not network_made(scene)


def all_gone(scene: Scene) -> bool:
    """Tell whether no service's container is left."""
    return not scene.containers().keys() & {*SERVICES}


def data_gone(scene: Scene) -> bool:
    """Tell whether the volume of the database is gone."""
    return f"postgres_{scene.checkout.stack}_data" not in scene.volumes()


def snapshot_taken(scene: Scene) -> bool:
    """Tell whether there is a new snapshot."""
    return bool(scene.snapshots() - scene.known)


def stopped(component: str) -> Moment:
    """Return the moment at which a container doesn't run any more."""
    return lambda scene: component not in scene.running()


def removed(component: str) -> Moment:
    """Return the moment at which a container is gone that was there before."""
    return lambda scene: scene.before[component] not in scene.containers().values()


def made(component: str) -> Moment:
    """Return the moment at which there is a container that was not there before."""
    return lambda scene: scene.containers().get(component) not in {None, scene.before.get(component)}


def kill(scene: Scene, moment: Moment, how: damage.Kill, *command: str) -> None:
    """Run `./dashtam` until a moment, and kill it then, while it still runs.

    Args:
        scene: What it changes.
        moment: When.
        how: What is killed.
        command: The command.
    """
    process: subprocess.Popen[bytes] = scene.checkout.start(*command)
    deadline = time.monotonic() + TIMEOUT
    with damage.at_latest_killed(process):
        while not moment(scene):
            assert not damage.ends_within(process, 0.01), f"{command} came to its end before it could be killed"
            assert time.monotonic() < deadline, f"{command} didn't come to the moment at which it is killed"
        how(process)
    assert damage.was_killed(process), f"{command} came to its end before it was killed"
