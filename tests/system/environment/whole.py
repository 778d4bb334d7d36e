"""What an environment is again after a recovery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.naming import SERVICES
from tests.system import environments
from tests.system.running import succeed

if TYPE_CHECKING:
    import docker

    from tests.system.checkout import Checkout


def assert_whole(checkout: Checkout, client: docker.DockerClient) -> None:
    """Fail unless the further environment is healthy, as its state and its config have it, and nothing is beside it."""
    assert environments.is_up(client, checkout.stack)
    succeed(checkout.pulumi("preview", "--stack", checkout.stack, "--expect-no-changes"))
    labelled = environments.labelled(checkout.stack)
    assert len(client.api.containers(all=True, filters=labelled)) == len(SERVICES) + 1
    assert len(client.api.networks(filters=labelled)) == 1
