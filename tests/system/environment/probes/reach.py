"""Tells what can be resolved and connected to from here. Standard library alone: it runs in other containers.

Argument: JSON with `names` to resolve and `targets`, pairs of host and port. Prints JSON.
"""

import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

TIMEOUT = 2.0
REACHED = "reached"


def resolve(name: str) -> list[str]:
    """Return the addresses of a name, none where it has none."""
    try:
        return sorted({str(found[4][0]) for found in socket.getaddrinfo(name, None, socket.AF_INET)})
    except OSError:
        return []


def attempt(target: tuple[str, int]) -> str:
    """Return `reached`, or why a connection was not made."""
    try:
        socket.create_connection(target, TIMEOUT).close()
    except OSError as error:
        return str(error)
    return REACHED


def main() -> None:
    """Do what the argument says."""
    job = json.loads(sys.argv[1])
    targets = [(host, port) for host, port in job["targets"]]
    with ThreadPoolExecutor(len(targets)) as pool:
        results = list(pool.map(attempt, targets))
    resolved = {name: resolve(name) for name in job["names"]}
    report = {
        "resolved": resolved,
        "reached": [list(target) for target, result in zip(targets, results, strict=True) if result == REACHED],
    }
    sys.stdout.write(json.dumps(report))


main()
