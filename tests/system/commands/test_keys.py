from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.system.commands.contents import Contents
from tests.system.running import succeed

if TYPE_CHECKING:
    from pathlib import Path

    import docker

    from tests.system.checkout import Checkout

LINKED = ("rotated-1", "rotated-2", "rotated-3")


@pytest.fixture
def contents(checkout: Checkout, client: docker.DockerClient, tmp_path: Path) -> Contents:
    found = Contents(checkout, client, tmp_path, checkout.stack)
    for name in LINKED:
        found.accounts(name)
    return found


def test_keys_are_rotated_while_the_service_runs(checkout: Checkout, contents: Contents) -> None:
    before = contents.accounts()
    first = json.loads(succeed(checkout.dashtam("keys", "rotate", checkout.stack, "--json")))
    second = json.loads(succeed(checkout.dashtam("keys", "rotate", checkout.stack, "--json")))
    assert first["environment"] == checkout.stack
    assert first["key"] != second["key"]
    assert first["connections"] == second["connections"] == len(before) >= len(LINKED)
    assert (second["retired"], second["unreadable"]) == (1, 0)
    assert contents.accounts() == before


def test_two_rotations_at_once_lose_nothing(checkout: Checkout, contents: Contents) -> None:
    before = contents.accounts()
    with ThreadPoolExecutor() as pool:
        rotations = [pool.submit(checkout.dashtam, "keys", "rotate", checkout.stack, "--json") for _ in range(2)]
    done = [one.result() for one in rotations]
    assert any(one.returncode == 0 for one in done)
    assert all("another rotation is under way" in one.stderr for one in done if one.returncode != 0)
    assert contents.accounts() == before
