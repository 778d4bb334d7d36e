"""Nothing gets from one environment into another, out of ci, or in from other machines: tried from inside each one."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.naming import SERVICES
from tests.system.environments import INNER_PORTS, Environment

PROBE = (Path(__file__).parent / "probes/reach.py").read_text()
AT_A_TIME = 4
NOWHERE = "192.0.2.1"
"""An address that no machine has (RFC 5737): it tells which of this machine's addresses faces the outside."""
PUBLIC = ("1.1.1.1", 443)
DNS_PORT = 53


@dataclass(frozen=True)
class View:
    """What one service sees.

    Args:
        environment: Where the service is.
        service: Which one.
        targets: All that it tried to connect to.
        report: What came of it.
    """

    environment: Environment
    service: str
    targets: list[tuple[str, int]]
    report: dict[str, Any]

    @property
    def reached(self) -> set[tuple[str, int]]:
        """The targets that answered."""
        return {(host, port) for host, port in self.report["reached"]}

    @property
    def name(self) -> str:
        """The container's name."""
        return f"{self.environment.name}-{self.service}"


@pytest.fixture(scope="session")
def outer_address() -> str:
    """This machine's address in its network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect((NOWHERE, 9))
        address: str = one.getsockname()[0]
    return address


@pytest.fixture(scope="session")
def listener(outer_address: str) -> Iterator[tuple[str, int]]:
    """A server on this machine that everybody may reach who has a way out."""
    with socket.create_server((outer_address, 0), backlog=64) as server:
        yield outer_address, server.getsockname()[1]


@pytest.fixture(scope="session")
def outside() -> set[tuple[str, int]]:
    """What other machines may offer: a public server, and the name servers of this network."""
    words = [line.split() for line in Path("/etc/resolv.conf").read_text().splitlines()]
    servers = {word[1] for word in words if word[:1] == ["nameserver"]}
    return {PUBLIC, *((one, DNS_PORT) for one in servers if not one.startswith(("127.", "::")))}


@pytest.fixture(scope="session")
def views(running: list[Environment], listener: tuple[str, int], outside: set[tuple[str, int]]) -> list[View]:
    """What every service of every environment sees."""
    addresses = [
        (host, INNER_PORTS[service])
        for one in running
        for service in SERVICES
        for host in (getattr(one.outputs.containers, service), one.address(service))
    ]
    targets = [
        *addresses,
        *((service, INNER_PORTS[service]) for service in SERVICES),
        *_host(running),
        listener,
        *sorted(outside),
    ]
    job = json.dumps({"names": list(SERVICES), "targets": targets})

    def look(source: tuple[Environment, str]) -> View:
        environment, service = source
        return View(environment, service, targets, json.loads(environment.run_beside(service, PROBE, job)))

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(look, [(one, service) for one in running for service in SERVICES]))


def _host(running: list[Environment]) -> list[tuple[str, int]]:
    """Return the published ports at every address that the host has in the environments' networks."""
    gateways = [
        part["Gateway"]
        for one in running
        for part in one.client.api.inspect_network(one.outputs.network)["IPAM"]["Config"]
    ]
    return [(gateway, port) for gateway in gateways for port in _published(running)]


def _published(running: list[Environment]) -> list[int]:
    return [port for one in running for port in one.outputs.ports.model_dump().values() if port]


def _own(view: View) -> set[tuple[str, int]]:
    one = view.environment
    return {
        (host, INNER_PORTS[service])
        for service in SERVICES
        for host in (service, getattr(one.outputs.containers, service), one.address(service))
    }


def test_every_service_reaches_its_own_environment(views: list[View]) -> None:
    assert {view.name: _own(view) - view.reached for view in views} == {view.name: set() for view in views}


def test_no_service_reaches_another_environment(
    views: list[View], listener: tuple[str, int], outside: set[tuple[str, int]]
) -> None:
    allowed = {listener, *outside}
    assert {view.name: view.reached - _own(view) - allowed for view in views} == {view.name: set() for view in views}


def test_a_services_name_is_that_of_its_own_environment_alone(views: list[View]) -> None:
    for view in views:
        expected = {service: [view.environment.address(service)] for service in SERVICES}
        assert view.report["resolved"] == expected, view.name


def test_an_internal_network_has_no_way_out(views: list[View], outside: set[tuple[str, int]]) -> None:
    inside = [view for view in views if view.environment.name == "ci"]
    assert {view.name: view.reached & outside for view in inside} == {view.name: set() for view in inside}


def test_a_probe_sees_beyond_its_environment(views: list[View], listener: tuple[str, int]) -> None:
    # Without this, the tests above would prove nothing.
    outer = [view for view in views if view.environment.name != "ci"]
    assert [view.name for view in outer if listener not in view.reached] == []


def test_only_this_machine_reaches_published_ports(running: list[Environment], outer_address: str) -> None:
    for port in _published(running):
        socket.create_connection(("127.0.0.1", port), 5).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((outer_address, port), 5)


def test_ports_are_bound_to_the_loopback_address(running: list[Environment]) -> None:
    for one in running:
        for service in SERVICES:
            bound = one.inspect(service)["NetworkSettings"]["Ports"] or {}
            hosts = {
                (binding["HostIp"], int(binding["HostPort"])) for outer in bound.values() for binding in outer or []
            }
            port = getattr(one.outputs.ports, service)
            assert hosts == ({("127.0.0.1", port)} if port else set()), (one.name, service)


def test_ci_publishes_nothing(ci: Environment) -> None:
    assert set(ci.outputs.ports.model_dump().values()) == {None}
    assert ci.client.api.inspect_network(ci.outputs.network)["Internal"] is True


def test_each_service_is_in_one_network(running: list[Environment]) -> None:
    for one in running:
        for service in SERVICES:
            assert list(one.inspect(service)["NetworkSettings"]["Networks"]) == [one.outputs.network]
