"""Each kind of drift is caused for real, shown by `drift` and `status`, and undone by `up`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from cli.engine.inventory import EngineView
from cli.environments import states
from cli.operations import drift
from cli.operations.drift import Difference, EngineReading
from infra.naming import COMPONENT_LABEL, SERVICES, Naming
from tests.system.damage import pause
from tests.system.running import succeed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

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
    pause(client.containers.get(naming.container("callback")))


def _rename(client: docker.DockerClient, naming: Naming) -> None:
    client.containers.get(naming.container("callback")).rename(f"{naming.container('callback')}-renamed")


def _disconnect(client: docker.DockerClient, naming: Naming) -> None:
    client.networks.get(naming.network).disconnect(naming.container("redis"))


def _lose_alias(client: docker.DockerClient, naming: Naming) -> None:
    network = client.networks.get(naming.network)
    network.disconnect(naming.container("redis"))
    network.connect(naming.container("redis"))


def _lose_network(client: docker.DockerClient, naming: Naming, services: Iterable[str]) -> None:
    network = client.networks.get(naming.network)
    for service in services:
        network.disconnect(naming.container(service), force=True)
    network.remove()


def _lose_volume(client: docker.DockerClient, naming: Naming) -> None:
    for name in (naming.container("app"), naming.container("files")):
        client.containers.get(name).remove(force=True)
    client.volumes.get(naming.files_volume("app")).remove()


def _add(client: docker.DockerClient, naming: Naming) -> None:
    image = client.containers.get(naming.container("postgres")).attrs["Image"]
    labels = naming.labels("extra")
    client.containers.run(image, ["sleep", "600"], name=naming.container("extra"), labels=labels, detach=True)


def _replace_by_hand(client: docker.DockerClient, naming: Naming) -> None:
    client.containers.get(naming.container("sandbox")).remove(force=True)
    client.containers.run(
        client.containers.get(naming.container("postgres")).attrs["Image"],
        ["sleep", BY_HAND],
        name=naming.container("sandbox"),
        labels=naming.labels("sandbox") | {COMPONENT_LABEL: "callback"},
        environment={"PORT": BY_HAND},
        detach=True,
    )


IN_NETWORK = "network {network}"
CHANGED: list[tuple[Damage, Found]] = [
    (
        _update("app", mem_limit=900 * MEBIBYTE, memswap_limit=900 * MEBIBYTE, restart_policy={"Name": "always"}),
        {("{app}", "memory"), ("{app}", "memorySwap"), ("{app}", "restart")},
    ),
    (_update("postgres", cpu_shares=512), {("{postgres}", "CpuShares")}),
    (_disconnect, {("{redis}", IN_NETWORK)}),
    (_stop, {("{sandbox}", "state")}),
    (_pause, {("{callback}", "state")}),
]
LOST: list[tuple[Damage, Found]] = [
    (_lose_alias, {("{redis}", IN_NETWORK)}),
    (_lose_volume, {("{app}-files", "volume"), ("{files}", "container"), ("{app}", "container")}),
    (_rename, {("{callback}", "name")}),
    (_add, {("{extra}", "container")}),
]


@pytest.fixture
def naming(checkout: Checkout) -> Naming:
    return Naming(checkout.stack, checkout.clone.id)


@pytest.fixture
def undone(checkout: Checkout, client: docker.DockerClient) -> Iterator[None]:
    """Bring the environment up again where a test failed; `whole` doesn't see all that drifts."""
    yield
    if _differences(checkout, client):
        checkout.up()


def _differences(checkout: Checkout, client: docker.DockerClient) -> list[Difference]:
    """Return what `drift` finds, without the second in which it starts."""
    state, owner = states.read(checkout.clone, checkout.stack, checkout.tools), checkout.clone.id
    return drift.differences(state, EngineReading(EngineView(client), checkout.stack, owner), checkout.stack, owner)


def _drift(checkout: Checkout) -> tuple[int, list[dict[str, str]]]:
    done = checkout.dashtam("drift", checkout.stack, "--json")
    return done.returncode, json.loads(done.stdout)["differences"]


def _status(checkout: Checkout) -> dict[str, Any]:
    document = json.loads(succeed(checkout.dashtam("status", checkout.stack, "--json")))
    [overview] = document["environments"]
    return dict(overview)


def _cause(client: docker.DockerClient, naming: Naming, damages: list[tuple[Damage, Found]]) -> Found:
    """Damage the environment; return what is to be found."""
    for damage, _ in damages:
        damage(client, naming)
    return {one for _, found in damages for one in _named(found, naming)}


def _named(found: Found, naming: Naming) -> Found:
    names = {service: naming.container(service) for service in (*SERVICES, "files", "extra")}
    names["network"] = naming.network
    return {(resource.format(**names), changed.format(**names)) for resource, changed in found}


def _pairs(told: Iterable[Mapping[str, str]]) -> Found:
    return {(one["resource"], one["property"]) for one in told}


@pytest.mark.usefixtures("undone")
def test_containers_that_were_changed(checkout: Checkout, client: docker.DockerClient, naming: Naming) -> None:
    assert _differences(checkout, client) == []
    expected = _cause(client, naming, CHANGED)
    status, told = _drift(checkout)
    assert status == 2
    assert _pairs(told) == expected
    assert [one for one in told if one["was"] == one["now"]] == []
    assert _status(checkout)["differences"] == len(told)
    shown = checkout.dashtam("drift", checkout.stack)
    assert shown.returncode == 2
    assert f"container {naming.container('sandbox')}" in shown.stdout
    assert "running" in shown.stdout
    assert f"./dashtam up {checkout.stack}" in shown.stderr
    checkout.up()
    assert _drift(checkout) == (0, [])
    overview = _status(checkout)
    assert (overview["state"], overview["drift"]) == ("up", False)


@pytest.mark.usefixtures("undone")
def test_what_was_lost_renamed_added_and_made_by_hand(
    checkout: Checkout, client: docker.DockerClient, naming: Naming
) -> None:
    expected = _cause(client, naming, LOST)
    _replace_by_hand(client, naming)
    told = [asdict(one) for one in _differences(checkout, client)]
    by_hand = [one for one in told if one["resource"] == naming.container("sandbox")]
    assert _pairs(told) - _pairs(by_hand) == expected
    changed = {one["property"]: (one["was"], one["now"]) for one in by_hand}
    assert changed["image"][1] == client.containers.get(naming.container("sandbox")).attrs["Image"]
    assert changed[f"label {COMPONENT_LABEL}"] == ("sandbox", "callback")
    assert changed["env PORT"][0] == "8282"
    assert changed["env ISSUER"][1] == "none"
    assert {"container", "command", "memory", "readOnly", "capabilities dropped", "mounts", "ports"} <= changed.keys()
    assert BY_HAND not in json.dumps(told)
    checkout.up()
    assert _differences(checkout, client) == []


def test_a_network_that_was_lost(small: Checkout, client: docker.DockerClient) -> None:
    naming = Naming(small.stack, small.clone.id)
    _lose_network(client, naming, small.services)
    lost = {("{network}", "network"), *((f"{{{service}}}", IN_NETWORK) for service in small.services)}
    assert _pairs(asdict(one) for one in _differences(small, client)) == _named(lost, naming)
    small.up()
    assert _differences(small, client) == []
