"""Containers that go by themselves just as they are removed, on a real engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from docker.errors import NotFound

from cli.engine.inventory import EngineView

if TYPE_CHECKING:
    import docker

    from tests.system.checkout import Checkout

ROUNDS = 40
AT_A_TIME = 4


def test_each_is_gone_afterwards(checkout: Checkout, client: docker.DockerClient) -> None:
    image = client.containers.get(f"dashtam-{checkout.stack}-callback").attrs["Image"]
    view = EngineView(client)

    def remove_one(_: int) -> str:
        # It ends at once, upon which the engine removes it.
        made = str(client.containers.create(image, ["true"], auto_remove=True, network_mode="none").id)
        client.api.start(made)
        view.remove_container(made)
        return made

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        gone = list(pool.map(remove_one, range(ROUNDS)))
    assert len(set(gone)) == ROUNDS
    for one in gone:
        with pytest.raises(NotFound):
            client.api.inspect_container(one)
