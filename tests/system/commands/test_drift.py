"""Each kind of drift is caused for real, told by `drift` and `status`, and mended by `up`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infra.naming import COMPONENT_LABEL, OWNER_LABEL, SERVICES, Naming
from tests.system.environments import labelled
from tests.system.running import succeed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import docker

    from tests.system.checkout import Checkout

    Damage = Callable[[docker.DockerClient, Naming], object]
    Found = set[tuple[str, str]]

MEBIBYTE = 1 << 20
BY_HAND = "a-secret-set-by-hand"


def _update(service: str, **limits: Any) -> Damage:  # noqa: ANN401 - whatever the engine can update
    return lambda client, naming: client.api.update_container(naming.container(service), **limits)


def _stop(client: docker.DockerClient, naming: Naming) -> None:
    client.containers.get(naming.container("sandbox")).stop()


def _pause(client: docker.DockerClient, naming: Naming) -> None:
    client.containers.get(naming.container("callback")).pause()


def _rename(client: docker.DockerClient, naming: Naming) -> None:
    client.containers.get(naming.container("callback")).rename(f"{naming.container('callback')}-renamed")


def _disconnect(client: docker.DockerClient, naming: Naming) -> None:
    client.networks.get(naming.network).disconnect(naming.container("redis"))


def _lose_alias(client: docker.DockerClient, naming: Naming) -> None:
    network = client.networks.get(naming.network)
    network.disconnect(naming.container("redis"))
    network.connect(naming.container("redis"))


def _lose_network(client: docker.DockerClient, naming: Naming) -> None:
    network = client.networks.get(naming.network)
    for service in SERVICES:
        network.disconnect(naming.container(service), force=True)
    network.remove()


def _lose_volume(client: docker.DockerClient, naming: Naming) -> None:
    for name in (naming.container("sandbox"), naming.container("sandbox-files")):
        client.containers.get(name).remove(force=True)
    client.volumes.get(naming.files_volume("sandbox")).remove()


def _add(client: docker.DockerClient, naming: Naming) -> None:
    image = client.containers.get(naming.container("app")).attrs["Image"]
    labels = naming.labels("extra")
    client.containers.run(image, ["sleep", "600"], name=naming.container("extra"), labels=labels, detach=True)


IN_NETWORK = "network {network}"
TOGETHER: dict[str, list[tuple[Damage, Found]]] = {
    "updated and disconnected": [
        (
            _update("app", mem_limit=900 * MEBIBYTE, memswap_limit=900 * MEBIBYTE),
            {("{app}", "memory"), ("{app}", "memorySwap")},
        ),
        (_update("callback", restart_policy={"Name": "always"}), {("{callback}", "restart")}),
        (_update("sandbox", cpu_shares=512), {("{sandbox}", "CpuShares")}),
        (_disconnect, {("{redis}", IN_NETWORK)}),
    ],
    "stopped, paused and not found by name": [
        (_stop, {("{sandbox}", "state")}),
        (_pause, {("{callback}", "state")}),
        (_lose_alias, {("{redis}", IN_NETWORK)}),
    ],
    "volume lost, renamed, added": [
        (_lose_volume, {("{sandbox}-files", one) for one in ("volume", "container")} | {("{sandbox}", "container")}),
        (_rename, {("{callback}", "name")}),
        (_add, {("{extra}", "container")}),
    ],
    "network lost": [
        (_lose_network, {("{network}", "network")} | {(f"{{{service}}}", IN_NETWORK) for service in SERVICES}),
    ],
}


@pytest.fixture
def naming(checkout: Checkout, client: docker.DockerClient) -> Naming:
    [container] = client.containers.list(filters=labelled(checkout.stack) | {"name": f"dashtam-{checkout.stack}-app"})
    return Naming(checkout.stack, container.labels[OWNER_LABEL])


@pytest.fixture(autouse=True)
def mended(checkout: Checkout) -> Iterator[None]:
    """Leaves the environment as it was, whatever the test found."""
    yield
    checkout.up()


def _drift(checkout: Checkout) -> tuple[int, list[dict[str, str]]]:
    done = checkout.dashtam("drift", checkout.stack, "--json")
    return done.returncode, json.loads(done.stdout)


def _status(checkout: Checkout) -> dict[str, Any]:
    document = json.loads(succeed(checkout.dashtam("status", checkout.stack, "--json")))
    [overview] = document["overview"]
    return dict(overview)


@pytest.mark.parametrize("kind", TOGETHER)
def test_drift_is_told_and_mended(checkout: Checkout, client: docker.DockerClient, naming: Naming, kind: str) -> None:
    assert _drift(checkout) == (0, [])
    assert _status(checkout)["drift"] is False
    expected = set()
    for damage, found in TOGETHER[kind]:
        damage(client, naming)
        expected |= {(_named(resource, naming), _named(changed, naming)) for resource, changed in found}
    status, told = _drift(checkout)
    assert {(one["resource"], one["property"]) for one in told} == expected
    assert all(one["was"] != one["now"] for one in told)
    assert status == 1
    assert _status(checkout)["differences"] == len(told)
    checkout.up()
    assert _drift(checkout) == (0, [])
    assert _status(checkout)["state"] == "up"


def _named(text: str, naming: Naming) -> str:
    names = {service: naming.container(service) for service in (*SERVICES, "extra")}
    return text.format(network=naming.network, **names)


def test_a_container_made_by_hand_is_told_property_by_property(
    checkout: Checkout, client: docker.DockerClient, naming: Naming
) -> None:
    image = client.containers.get(naming.container("callback")).attrs["Image"]
    client.containers.get(naming.container("sandbox")).remove(force=True)
    client.containers.run(
        image,
        ["sleep", BY_HAND],
        name=naming.container("sandbox"),
        labels=naming.labels("sandbox") | {COMPONENT_LABEL: "callback"},
        environment={"PORT": BY_HAND},
        detach=True,
    )
    status, told = _drift(checkout)
    changed = {one["property"]: (one["was"], one["now"]) for one in told}
    assert status == 1
    assert {one["resource"] for one in told} == {naming.container("sandbox")}
    assert changed["image"][1] == image
    assert changed[f"label {COMPONENT_LABEL}"] == ("sandbox", "callback")
    assert changed["env PORT"][0] == "8282"
    assert changed["env ISSUER"][1] == "none"
    assert {"container", "command", "memory", "readOnly", "capabilities dropped", "mounts", "ports"} <= changed.keys()
    assert BY_HAND not in json.dumps(told)
    checkout.up()
    assert _drift(checkout) == (0, [])


def test_people_get_a_table_and_the_way_out(checkout: Checkout, client: docker.DockerClient, naming: Naming) -> None:
    _stop(client, naming)
    done = checkout.dashtam("drift", checkout.stack)
    assert done.returncode == 1
    assert f"container {naming.container('sandbox')}" in done.stdout
    assert "running" in done.stdout
    assert f"./dashtam up {checkout.stack}" in done.stderr


def test_an_environment_that_does_not_exist_is_a_wrong_usage(checkout: Checkout) -> None:
    assert checkout.dashtam("drift", "nowhere").returncode == 2
