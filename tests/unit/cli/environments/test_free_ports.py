from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.core.errors import UserError
from cli.environments import free_ports
from infra.naming import SERVICES

OWNERS = st.text("0123456789abcdef", min_size=10, max_size=10)
STACKS = st.sampled_from(["dev", "test", "feature-x", "a"])
WANTED = st.lists(st.sampled_from(SERVICES), min_size=1, unique=True)
LAST = free_ports.FIRST + free_ports.BLOCKS * free_ports.SIZE - 1
TAKEN = st.frozensets(st.integers(free_ports.FIRST, LAST), max_size=50)


@given(owner=OWNERS, stack=STACKS, services=WANTED, taken=TAKEN)
def test_ports_are_distinct_free_and_the_same_again(
    owner: str, stack: str, services: list[str], taken: frozenset[int]
) -> None:
    chosen = free_ports.choose(services, owner, stack, lambda port: port not in taken)
    assert set(chosen) == set(services)
    assert len({*chosen.values()}) == len(services)
    assert taken.isdisjoint(chosen.values())
    assert all(free_ports.FIRST <= port <= LAST for port in chosen.values())
    assert chosen == free_ports.choose(reversed(services), owner, stack, lambda port: port not in taken)


@given(asking=st.lists(st.tuples(OWNERS, STACKS), unique=True, max_size=30))
def test_those_who_ask_after_each_other_share_no_port(asking: list[tuple[str, str]]) -> None:
    taken: set[int] = set()

    def is_free(port: int) -> bool:
        return port not in taken

    for owner, stack in asking:
        chosen = free_ports.choose(SERVICES, owner, stack, is_free)
        assert taken.isdisjoint(chosen.values())
        taken.update(chosen.values())


@given(owner=OWNERS, stack=STACKS, later=st.sampled_from(SERVICES))
def test_a_service_that_comes_later_joins_the_others(owner: str, stack: str, later: str) -> None:
    first = free_ports.choose([one for one in SERVICES if one != later], owner, stack, lambda _: True)
    joined = free_ports.choose([later], owner, stack, lambda port: port not in first.values())
    assert {**first, **joined} == free_ports.choose(SERVICES, owner, stack, lambda _: True)


def test_a_block_has_room_for_every_service_and_none_is_given_to_outgoing_connections() -> None:
    assert len(SERVICES) <= free_ports.SIZE
    assert LAST < 30_000


def test_no_free_port_is_told() -> None:
    with pytest.raises(UserError, match="no free ports for dev"):
        free_ports.choose(SERVICES, "me", "dev", lambda _: False)


def test_a_port_is_bound_while_something_listens_on_it() -> None:
    with socket.socket() as server:
        # Bound so that nothing else gets it, and that a second bind is allowed until it listens.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        assert not free_ports.is_bound(port)
        server.listen()
        assert free_ports.is_bound(port)
        assert free_ports.is_bound(port, "0.0.0.0")
        assert not free_ports.is_bound(port, "127.0.0.2")


def test_an_address_is_one_of_this_machines_or_not() -> None:
    assert free_ports.is_own("127.0.0.1")
    assert free_ports.is_own("0.0.0.0")
    assert not free_ports.is_own("192.0.2.1")


def test_a_port_of_the_other_loopback_address_is_bound_too() -> None:
    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with server:
        port: int = server.getsockname()[1]
        assert free_ports.is_bound(port)
        assert not free_ports.is_bound(port, "127.0.0.2")
