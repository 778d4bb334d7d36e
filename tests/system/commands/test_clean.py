"""`clean` removes all of this clone, and nothing else, also where the clone's passphrase is lost."""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING

import pytest

from cli.engine.inventory import EngineView
from infra.naming import OWNER_LABEL, Naming
from tests.system import checkout as checkouts
from tests.system import environments
from tests.system.commands.passphrases import losing
from tests.system.running import succeed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from tests.system.checkout import Checkout
    from tests.system.commands.contents import Contents

COMMAND = re.compile(r"`\./dashtam ([^`]+)`")


@pytest.fixture
def spare(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A copy of its own, because all of it is counted; one service is enough of it."""
    with checkouts.brought_up(client, tmp_path_factory.mktemp("spare"), "redis") as made:
        yield made


@pytest.fixture
def foreign(spare: Checkout, client: docker.DockerClient) -> Iterator[list[str]]:
    """Ids and names of what is not this clone's: without labels, and with all of them but another owner."""
    image = client.containers.get(f"dashtam-{spare.stack}-redis").image
    assert image
    made: list[str] = []
    for labels in ({}, Naming(spare.stack, "another").labels("redis"), {OWNER_LABEL: "another"}):
        name = f"foreign_{secrets.token_hex(4)}_data"
        container = client.containers.create(image.id or "", name=name, labels=labels, network_mode="none")
        network = client.networks.create(name, labels=labels)
        client.volumes.create(name, labels=labels)
        made += [container.id or "", network.id or "", name]
    yield made
    for container_id, network_id, volume in zip(made[::3], made[1::3], made[2::3], strict=True):
        client.containers.get(container_id).remove(v=True)
        client.networks.get(network_id).remove()
        client.volumes.get(volume).remove()


@pytest.fixture
def left(spare: Checkout, client: docker.DockerClient) -> Iterator[str]:
    """A volume of this clone that is in no state."""
    labels = Naming("gone", spare.tools["DASHTAM_CLONE"]).labels("postgres")
    name = str(client.volumes.create(f"postgres_gone_{secrets.token_hex(4)}", labels=labels).name)
    yield name
    for one in client.volumes.list(filters={"name": name}):
        one.remove()


def _own(spare: Checkout, client: docker.DockerClient) -> set[str]:
    return _names(client, {"label": [f"{OWNER_LABEL}={spare.tools['DASHTAM_CLONE']}"]})


def _names(client: docker.DockerClient, chosen: dict[str, list[str]]) -> set[str]:
    containers = client.api.containers(all=True, filters=chosen)
    networks, volumes = client.api.networks(filters=chosen), client.api.volumes(filters=chosen)["Volumes"] or []
    return {one["Names"][0].lstrip("/") for one in containers} | {one["Name"] for one in [*networks, *volumes]}


async def test_the_remedy_for_a_lost_passphrase_saves_the_data(
    checkout: Checkout, contents: Contents, client: docker.DockerClient, tmp_path: Path
) -> None:
    await contents.fill()
    accounts = contents.accounts("ada")
    before, tracked = await contents.rows("kept"), checkout.status()
    with losing(checkout) as passphrase:
        refused = checkout.dashtam("up", checkout.stack)
        assert refused.returncode == 1
        for command in _named(refused.stderr, checkout.stack, str(tmp_path / "rescued")):
            succeed(checkout.dashtam(*command, *(["--yes"] if command[0] in {"clean", "restore"} else [])))
        assert passphrase.exists()
    assert environments.is_up(client, checkout.stack)
    assert await contents.rows("kept") == before
    # Its tokens were encrypted under keys that only the passphrase could have kept.
    assert contents.accounts() == {name: ["revoked", "", None] for name in accounts}
    assert checkout.status() == tracked


def _named(said: str, stack: str, file: str) -> list[list[str]]:
    """Return the commands that a remedy names, in their order."""
    remedy = " ".join(said[said.index("What to do:") :].split())
    words = {"ENVIRONMENT": stack, "FILE": file}
    commands = [[words.get(word, word) for word in found.split()] for found in COMMAND.findall(remedy)]
    assert [one[0] for one in commands] == ["backup", "clean", "up", "restore"]
    return commands


def test_everything_of_this_clone_is_removed_and_nothing_else(
    spare: Checkout, client: docker.DockerClient, foreign: list[str], left: str
) -> None:
    own = _own(spare, client)
    # A service, what installs files, the files of five services, the network, data, and what was left.
    assert len(own) == 1 + 1 + 5 + 1 + 2 + 1
    data = sorted([left, f"postgres_{spare.stack}_data", f"redis_{spare.stack}_data"])

    listed = json.loads(succeed(spare.dashtam("clean", "--dry-run", "--json")))
    assert {name for kind in ("containers", "networks", "volumes", "data") for name in listed[kind]} == own
    assert listed["data"] == data
    assert listed["stacks"] == [spare.stack]
    assert listed["removed"] == []

    # Nobody answers, which is a no.
    asked = spare.dashtam("clean")
    assert asked.returncode == 1
    assert f"the data in {', '.join(data)} for good?" in asked.stderr
    assert own <= _names(client, {})

    succeed(spare.dashtam("clean", "--yes"))
    assert not own & _names(client, {})
    assert set(foreign) <= EngineView(client).ids()
    assert "Nothing of this clone" in succeed(spare.dashtam("clean", "--dry-run"))
