"""Nothing gets from one environment into another, out of ci, or in from other machines: tried from inside each one."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.naming import SERVICES
from tests.system.checkout import ROOT
from tests.system.environments import INNER_PORTS, Environment, each_service
from tests.system.running import run, succeed

PROBE = (Path(__file__).parent / "probes/reach.py").read_text()
SERVER = """
import socket
with socket.create_server(("0.0.0.0", 0), backlog=64) as server:
    print(server.getsockname()[1], flush=True)
    while True:
        server.accept()[0].close()
"""
AT_A_TIME = 5
SOURCE = "app"
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
        try:
            one.connect((NOWHERE, 9))
        except OSError as error:
            pytest.skip(f"this machine is in no network: {error}")
        address: str = one.getsockname()[0]
    return address


@pytest.fixture(scope="session")
def listener(outer_address: str) -> Iterator[tuple[str, int]]:
    """A server on this machine that everybody may reach who has a way out."""
    with socket.create_server((outer_address, 0), backlog=64) as server:
        yield outer_address, server.getsockname()[1]


@pytest.fixture(scope="module")
def another_machine() -> Iterator[tuple[str, int] | None]:
    """A server in a network namespace of its own, which is routed to as other machines are; None where none can be."""
    if os.geteuid() != 0 or not (shutil.which("ip") and shutil.which("unshare")):
        yield None
        return
    # Of the range for such trials (RFC 2544), whichever part is free.
    third, fourth = secrets.randbelow(256), 4 * secrets.randbelow(64)
    gateway, address = (f"198.18.{third}.{fourth + last}" for last in (1, 2))
    command = ["unshare", "--net", sys.executable, "-I", "-c", SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            port = int(server.stdout.readline())
            # The interfaces end with the namespace, and that with the server.
            here, there = f"dt{server.pid}", f"dtp{server.pid}"
            within = ["nsenter", f"--net=/proc/{server.pid}/ns/net"]
            for words in (
                ["ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", str(server.pid)],
                ["ip", "address", "add", f"{gateway}/30", "dev", here],
                ["ip", "link", "set", here, "up"],
                [*within, "ip", "address", "add", f"{address}/30", "dev", there],
                [*within, "ip", "link", "set", there, "up"],
                [*within, "ip", "route", "add", "default", "via", gateway],
            ):
                succeed(run(words, cwd=ROOT))
            yield address, port
        finally:
            server.kill()


@pytest.fixture(scope="module")
def outside(another_machine: tuple[str, int] | None) -> set[tuple[str, int]]:
    """What other machines may offer: one of our own, a public server, and the name servers of this network."""
    words = [line.split() for line in Path("/etc/resolv.conf").read_text().splitlines()]
    servers = {word[1] for word in words if word[:1] == ["nameserver"]}
    own = {another_machine} if another_machine else set()
    return {*own, PUBLIC, *((one, DNS_PORT) for one in servers if not one.startswith(("127.", "::")))}


@pytest.fixture(scope="module")
def views(running: list[Environment], listener: tuple[str, int], outside: set[tuple[str, int]]) -> list[View]:
    """What each environment's app sees: its network decides that, and all services are in that one, as shown below."""
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

    def look(environment: Environment) -> View:
        return View(environment, SOURCE, targets, json.loads(environment.run_beside(SOURCE, PROBE, job)))

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(look, running))


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


def test_a_service_reaches_its_own_environment(views: list[View]) -> None:
    assert {view.name: _own(view) - view.reached for view in views} == {view.name: set() for view in views}


def test_no_service_reaches_another_environment(
    views: list[View], listener: tuple[str, int], outside: set[tuple[str, int]]
) -> None:
    allowed = {listener, *outside}
    assert {view.name: view.reached - _own(view) - allowed for view in views} == {view.name: set() for view in views}


def test_a_services_name_is_that_of_its_own_environment_alone(views: list[View]) -> None:
    expected = {view.name: {service: [view.environment.address(service)] for service in SERVICES} for view in views}
    assert {view.name: view.report["resolved"] for view in views} == expected


def test_a_probe_sees_beyond_its_environment(views: list[View], listener: tuple[str, int]) -> None:
    # Without this, the tests above would prove nothing. On what is internal, this machine itself may be reached.
    outer = [view for view in views if view.environment.name != "ci"]
    assert {view.name: listener in view.reached for view in outer} == {view.name: True for view in outer}


def test_only_an_internal_network_has_no_way_out(
    views: list[View], another_machine: tuple[str, int] | None, outside: set[tuple[str, int]]
) -> None:
    inside = [view for view in views if view.environment.name == "ci"]
    assert {view.name: view.reached & outside for view in inside} == {view.name: set() for view in inside}
    if another_machine is None:
        pytest.skip("whether anything else stops ci can't be seen: another machine is made with root, ip and unshare")
    ways_out = {view.name: another_machine in view.reached for view in views}
    assert ways_out == {view.name: view.environment.name != "ci" for view in views}


def test_only_this_machine_reaches_published_ports(running: list[Environment], outer_address: str) -> None:
    ports = _published(running)
    assert len(ports) >= 2 * len(SERVICES)
    found = {port: (_attempt("127.0.0.1", port), _attempt(outer_address, port)) for port in ports}
    assert found == dict.fromkeys(ports, ("connected", "ConnectionRefusedError"))


def _attempt(host: str, port: int) -> str:
    try:
        socket.create_connection((host, port), 5).close()
    except OSError as error:
        return type(error).__name__
    return "connected"


def test_ports_are_bound_to_the_loopback_address_and_containers_are_in_one_network(running: list[Environment]) -> None:
    found, expected = {}, {}
    for name, one, service in each_service({one.name: one for one in running}):
        settings = one.inspect(service)["NetworkSettings"]
        bindings = [binding for outer in (settings["Ports"] or {}).values() for binding in outer or []]
        found[name] = (
            sorted((binding["HostIp"], int(binding["HostPort"])) for binding in bindings),
            list(settings["Networks"]),
        )
        port = getattr(one.outputs.ports, service)
        expected[name] = ([("127.0.0.1", port)] if port else [], [one.outputs.network])
    assert found == expected


def test_ci_publishes_nothing(ci: Environment) -> None:
    assert set(ci.outputs.ports.model_dump().values()) == {None}
    assert ci.client.api.inspect_network(ci.outputs.network)["Internal"] is True
