from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from infra.naming import SERVICES, Naming
from tests.system.environments import is_up
from tests.system.running import succeed, wait_until

if TYPE_CHECKING:
    import docker

    from tests.system.checkout import Checkout


def _certificates(checkout: Checkout, *options: str) -> dict[str, dict[str, Any]]:
    said = succeed(checkout.dashtam("certs", checkout.stack, "--json", *options))
    return {one["service"]: one for one in json.loads(said)["certificates"]}


def test_each_service_serves_a_certificate_that_verifies(checkout: Checkout) -> None:
    found = _certificates(checkout)
    assert set(found) == {"ca", *SERVICES}
    for service in SERVICES:
        one = found[service]
        assert (one["source"], one["trouble"]) == ("served", "")
        assert one["issuer"] == found["ca"]["subject"]
        assert set(one["names"]) == {*Naming(checkout.stack, "").hosts(service), "127.0.0.1", "::1"}
        assert datetime.fromisoformat(one["begins"]) < datetime.now(UTC) < datetime.fromisoformat(one["ends"])
        assert 300 < one["days_left"] < 400


def _containers(client: docker.DockerClient, checkout: Checkout) -> dict[str, str]:
    return {one: client.containers.get(f"dashtam-{checkout.stack}-{one}").id or "" for one in SERVICES}


def _prune_installer(client: docker.DockerClient, checkout: Checkout) -> None:
    client.containers.get(f"dashtam-{checkout.stack}-files").remove()


def test_services_are_replaced_when_their_files_are_others_and_only_then(
    checkout: Checkout, client: docker.DockerClient
) -> None:
    outputs, before = checkout.outputs(), _containers(client, checkout)
    _prune_installer(client, checkout)
    checkout.up()
    assert _containers(client, checkout) == before
    _prune_installer(client, checkout)
    after = _certificates(checkout, "--renew")
    assert [service for service, one in _containers(client, checkout).items() if one == before[service]] == []
    assert set(after) == {"ca", *SERVICES}
    assert {service: one["trouble"] for service, one in after.items()} == dict.fromkeys(after, "")
    assert {one["source"] for service, one in after.items() if service != "ca"} == {"served"}
    assert {one["issuer"] for one in after.values()} == {after["ca"]["subject"]}
    assert checkout.outputs()["ca_certificate"] != outputs["ca_certificate"]
    assert checkout.outputs()["database_dsn"] == outputs["database_dsn"]
    assert is_up(client, checkout.stack)


def test_a_service_that_does_not_answer_is_told(checkout: Checkout, client: docker.DockerClient) -> None:
    container = client.containers.get(Naming(checkout.stack, "").container("callback"))
    container.stop()
    try:
        done = checkout.dashtam("certs", checkout.stack, "--json")
    finally:
        container.start()
        wait_until(lambda: is_up(client, checkout.stack), "the environment is up", 60)
    found = {one["service"]: one for one in json.loads(done.stdout)["certificates"]}
    assert done.returncode == 2
    assert found["callback"]["source"] == "recorded"
    assert "does not answer" in found["callback"]["trouble"]
    assert found["postgres"]["trouble"] == ""
