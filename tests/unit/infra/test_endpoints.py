from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.config.sections import NetworkSettings
from infra.endpoints import Endpoint

if TYPE_CHECKING:
    from tests.unit.infra.conftest import Load, Refused


@pytest.mark.parametrize(
    ("published", "host", "browsers"),
    [(8001, "https://localhost:8001", "https://localhost:8001"), (None, None, "https://app:8000")],
)
def test_origins_follow_from_what_is_published(published: int | None, host: str | None, browsers: str) -> None:
    endpoint = Endpoint("app", 8000, published)
    assert endpoint.on_host == host
    assert endpoint.for_browsers == browsers
    assert endpoint.in_network == "https://app:8000"


@pytest.mark.parametrize(
    ("hostname", "origin"),
    [("build.example", "https://build.example"), ("2001:db8::5", "https://[2001:db8::5]")],
)
def test_origins_have_the_name_by_which_clients_know_the_machine(hostname: str, origin: str) -> None:
    reach = NetworkSettings(hostname=hostname)
    assert Endpoint("app", 8000, 8001, reach=reach).for_browsers == f"{origin}:8001"
    assert Endpoint("app", 8000, 8443, reach=reach).for_browsers == f"{origin}:8443"
    # Browsers send no port with HTTPS' own, and what is compared with it is to be the same.
    assert Endpoint("app", 8000, 443, reach=reach).for_browsers == origin


@pytest.mark.parametrize(
    ("given", "client", "names", "addresses", "exposed"),
    [
        ({}, "127.0.0.1", ("localhost",), (), False),
        ({"bind_address": "::1"}, "::1", ("localhost",), (), False),
        ({"bind_address": "0:0:0:0:0:0:0:1"}, "::1", ("localhost",), (), False),
        ({"bind_address": "127.0.0.2"}, "127.0.0.2", ("localhost",), (), False),
        ({"bind_address": "0.0.0.0"}, "127.0.0.1", ("localhost",), (), True),
        ({"bind_address": "::"}, "127.0.0.1", ("localhost",), (), True),
        ({"bind_address": "0.0.0.0", "hostname": "b.example"}, "b.example", ("b.example",), (), True),
        ({"bind_address": "0.0.0.0", "hostname": "192.0.2.7"}, "192.0.2.7", (), ("192.0.2.7",), True),
        ({"bind_address": "2001:DB8::7", "hostname": "b"}, "b", ("b",), ("2001:db8::7",), True),
    ],
)
def test_clients_and_certificates_follow_from_address_and_name(
    load: Load,
    given: dict[str, str],
    client: str,
    names: tuple[str, ...],
    addresses: tuple[str, ...],
    exposed: bool,
) -> None:
    network = load({f"network.{key}": value for key, value in given.items()}).network
    assert (network.client_host, network.names, network.addresses, network.is_exposed) == (
        client,
        names,
        addresses,
        exposed,
    )


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"bind_address": "localhost"}, "it must be an IPv4 or IPv6 address"),
        ({"bind_address": "127.0.0.256"}, "no interface has this address"),
        ({"bind_address": "fe80::1%eth0"}, "it must be an IPv4 or IPv6 address"),
        ({"hostname": "Build.example"}, "it must be a host name in lower case"),
        ({"hostname": "https://a"}, "it must be a host name in lower case"),
        ({"hostname": "-a"}, "it must be a host name in lower case"),
        ({"hostname": "1.2.3"}, "no interface has this address"),
        ({"bind_address": "192.0.2.7"}, "nothing listens at localhost if bind_address is 192.0.2.7"),
    ],
)
def test_what_is_no_address_is_refused(refused: Refused, given: dict[str, str], why: str) -> None:
    (problem,) = refused({f"network.{key}": value for key, value in given.items()})
    assert why in problem
