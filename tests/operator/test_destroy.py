"""What an environment keeps is kept when it is removed, unless one says otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.operator.contents import Contents
from tests.verify import environments
from tests.verify.running import succeed

if TYPE_CHECKING:
    import docker

    from tests.verify.checkout import Checkout


@pytest.fixture
def contents(checkout: Checkout, client: docker.DockerClient, tmp_path: Path) -> Contents:
    return Contents(checkout, client, tmp_path, checkout.stack)


def _names(checkout: Checkout) -> list[str]:
    return [one["name"] for one in json.loads(succeed(checkout.dashtam("snapshot", "list", checkout.stack, "--json")))]


async def test_a_snapshot_is_taken_first_and_brings_everything_back(checkout: Checkout, contents: Contents) -> None:
    await contents.fill()
    before, accounts = await contents.digest(), contents.accounts()
    known = set(_names(checkout))
    done = json.loads(succeed(checkout.dashtam("destroy", checkout.stack, "--yes", "--json")))
    [taken] = set(_names(checkout)) - known
    assert done["snapshot"]["name"] == taken
    assert not contents.client.volumes.list(filters=environments.labelled(checkout.stack))
    succeed(checkout.dashtam("snapshot", "restore", checkout.stack, taken, "--yes"))
    assert await contents.digest() == before
    assert contents.accounts() == accounts


async def test_a_no_leaves_everything_as_it_was(checkout: Checkout, contents: Contents) -> None:
    before = await contents.digest()
    # Nobody answers, which is a no.
    done = checkout.dashtam("destroy", checkout.stack)
    assert done.returncode == 1
    assert "/snapshots/" in done.stderr
    checkout.up()
    assert environments.is_up(contents.client, checkout.stack)
    assert await contents.digest() == before


def test_without_a_snapshot_none_is_left(checkout: Checkout) -> None:
    known = _names(checkout)
    succeed(checkout.dashtam("destroy", checkout.stack, "--yes", "--no-snapshot"))
    assert _names(checkout) == known
    checkout.up()
