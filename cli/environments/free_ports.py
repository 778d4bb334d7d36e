"""Free ports for an environment that can't have its config's; the same environment gets the same ones, if free."""

from __future__ import annotations

import errno
import hashlib
import socket
from collections.abc import Callable, Iterable

from cli.core.errors import UserError
from infra.loopback import LOOPBACK, LOOPBACK_6
from infra.naming import DEBUGGER, SERVICES

PUBLISHING = (*SERVICES, DEBUGGER)
FIRST = 23_000
SIZE = 10
BLOCKS = 700
"""Blocks of ports for an environment each. They end before what Linux gives to outgoing connections (from 32768 on) and
what Kubernetes on the same machine gives to its services (from 30000 on)."""


def choose(services: Iterable[str], owner: str, stack: str, is_free: Callable[[int], bool]) -> dict[str, int]:
    """Choose a port for each of some services, all different, in one block.

    The first block to try follows from clone and stack, so that a removed environment comes back at the same addresses,
    and two that don't know of each other rarely choose the same.
    """
    begin = int.from_bytes(hashlib.sha256(f"{owner} {stack}".encode()).digest()) % BLOCKS
    wanted = list(services)
    for number in range(BLOCKS):
        first = FIRST + (begin + number) % BLOCKS * SIZE
        ports = {service: first + PUBLISHING.index(service) for service in wanted}
        if all(is_free(port) for port in ports.values()):
            return ports
    raise UserError(
        f"There are no free ports for {stack}.",
        cause=f"Each block of {SIZE} ports between {FIRST} and {FIRST + BLOCKS * SIZE - 1} has a port in use.",
        remedy="`./dashtam status --all` lists environments; `./dashtam destroy NAME` removes one.",
    )


def is_bound(port: int, address: str = LOOPBACK) -> bool:
    """Return whether something listens on a port of an address, as far as this machine can tell.

    `localhost` is both loopback addresses: clients would reach what listens on the other one.
    """
    addresses = (address, LOOPBACK_6) if address == LOOPBACK else (address,)
    return any(_binding(port, one) == errno.EADDRINUSE for one in addresses)


def is_own(address: str) -> bool:
    """Return whether an address is one of this machine's."""
    return _binding(0, address) != errno.EADDRNOTAVAIL


def _binding(port: int, address: str) -> int | None:
    """Return the number of the error at an attempt to listen; None where there is none."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            # As the engine binds: a connection of the past that lingers is no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        return error.errno
    return None
