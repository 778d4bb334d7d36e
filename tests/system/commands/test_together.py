"""Several environments in one command: `./dashtam up A B`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from tests.system import environments
from tests.system.checkout import PUBLISHED, free_ports
from tests.system.running import succeed

if TYPE_CHECKING:
    import docker

    from tests.system.checkout import Checkout


def test_two_environments_come_up_and_go_in_one_command(checkout: Checkout, client: docker.DockerClient) -> None:
    second = f"{checkout.stack}-too"
    config = checkout.root / f"Pulumi.{second}.yaml"
    document = yaml.safe_load(checkout.pristine)
    for section, port in zip(PUBLISHED, free_ports(len(PUBLISHED)), strict=True):
        document["config"][f"dashtam:{section}"]["port"] = port
    config.write_text(yaml.safe_dump(document))
    try:
        succeed(checkout.dashtam("down", checkout.stack))
        done = checkout.dashtam("up", checkout.stack, second)
        succeed(done)
        for stack in (checkout.stack, second):
            assert environments.is_up(client, stack)
            assert f"{stack} is up" in done.stderr
        told = [line.split()[0] for line in done.stderr.splitlines() if ": starting" in line or ": healthy" in line]
        # The second one is begun before the first one is done.
        assert told.index(second) < len(told) - 1 - told[::-1].index(checkout.stack)
        succeed(checkout.dashtam("down", checkout.stack, second))
        assert not client.containers.list(all=True, filters=environments.labelled(second))
        assert not client.containers.list(all=True, filters=environments.labelled(checkout.stack))
    finally:
        destroyed = checkout.dashtam("destroy", second, "--yes", "--no-snapshot")
        environments.remove_all(client, second)
        config.unlink()
        checkout.up()
    succeed(destroyed)
