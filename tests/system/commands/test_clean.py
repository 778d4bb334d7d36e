"""`clean` removes all of this clone, and nothing else."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

import docker
import pytest

from cli.engine_view import EngineView
from infra.naming import OWNER_LABEL, Naming
from tests.system import environments
from tests.system.checkout import Checkout
from tests.system.running import succeed


@pytest.fixture
def foreign(spare: Checkout, client: docker.DockerClient) -> Iterator[list[str]]:
    """Ids and names of what is not this clone's: without labels, and with all of them but another owner."""
    spare.up()
    image = client.containers.get(f"dashtam-{spare.stack}-redis").image
    assert image
    made: list[str] = []
    for labels in ({}, Naming(spare.stack, "another").labels("redis"), {OWNER_LABEL: "another"}):
        name = f"foreign_{secrets.token_hex(4)}_data"
        container = client.containers.create(image.id or "", name=name, labels=labels, network_mode="none")
        network = client.networks.create(name, labels=labels)
        client.volumes.create(name, labels=labels)
        made += [container.id or "", network.id or "", name]
    yield made
    for container_id, network_id, volume in zip(made[::3], made[1::3], made[2::3], strict=True):
        client.containers.get(container_id).remove(v=True)
        client.networks.get(network_id).remove()
        client.volumes.get(volume).remove()


def _own(spare: Checkout, client: docker.DockerClient) -> set[str]:
    owner = client.containers.get(f"dashtam-{spare.stack}-redis").labels[OWNER_LABEL]
    return _names(client, {"label": [f"{OWNER_LABEL}={owner}"]})


def _names(client: docker.DockerClient, chosen: dict[str, list[str]]) -> set[str]:
    containers = client.api.containers(all=True, filters=chosen)
    networks, volumes = client.api.networks(filters=chosen), client.api.volumes(filters=chosen)["Volumes"] or []
    return {one["Names"][0].lstrip("/") for one in containers} | {one["Name"] for one in [*networks, *volumes]}


def test_everything_of_this_clone_goes_and_nothing_else(
    spare: Checkout, client: docker.DockerClient, foreign: list[str]
) -> None:
    tracked = spare.status()
    own = _own(spare, client)
    # What installs a service's files, and the volume with them, have one name.
    assert len(own) == 10 + 1 + 2

    listed = json.loads(succeed(spare.dashtam("clean", "--dry-run", "--json")))
    assert {name for kind in ("containers", "networks", "volumes", "data") for name in listed[kind]} == own
    assert listed["data"] == [f"postgres_{spare.stack}_data", f"redis_{spare.stack}_data"]
    assert listed["stacks"] == [spare.stack]
    assert not listed["removed"]

    asked = spare.dashtam("clean")
    assert asked.returncode == 1
    assert f"the data in postgres_{spare.stack}_data, redis_{spare.stack}_data for good?" in asked.stderr
    assert own <= _names(client, {})

    succeed(spare.dashtam("clean", "--yes"))
    assert not own & _names(client, {})
    assert set(foreign) <= EngineView(client).ids()
    assert "There is nothing of this clone" in succeed(spare.dashtam("clean", "--dry-run"))

    spare.up()
    assert environments.is_up(client, spare.stack)
    succeed(spare.pulumi("preview", "--stack", spare.stack, "--expect-no-changes"))
    assert spare.status() == tracked


def test_json_asks_nothing(spare: Checkout) -> None:
    done = spare.dashtam("clean", "--json")
    assert done.returncode == 2
    assert "--yes" in done.stderr


def test_what_an_environment_left_that_is_in_no_state_goes_too(spare: Checkout, client: docker.DockerClient) -> None:
    spare.up()
    owner = client.containers.get(f"dashtam-{spare.stack}-redis").labels[OWNER_LABEL]
    left = client.volumes.create(
        f"postgres_gone_{secrets.token_hex(4)}", labels=Naming("gone", owner).labels("postgres")
    )
    said = json.loads(succeed(spare.dashtam("clean", "--yes", "--json")))
    assert left.name in said["data"]
    assert not client.volumes.list(filters={"name": left.name or ""})
    spare.up()
    assert environments.is_up(client, spare.stack)
