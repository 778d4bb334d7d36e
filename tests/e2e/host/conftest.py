"""What needs the engine beside the browser, and so can't be run inside an environment."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from infra.engine import client_of
from tests.system.running import wait_until
from tests.turns import use_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker.models.containers import Container

    from infra.outputs import StackOutputs


@dataclass(frozen=True)
class Outage:
    """The provider's container, to be ended and started.

    Args:
        container: As the engine knows it.
    """

    container: Container

    def fail(self) -> None:
        """End it as a crash does."""
        self.container.kill()

    def recover(self) -> None:
        """Start it, and wait until it is healthy."""
        self.container.start()
        wait_until(self._is_healthy, "the provider is healthy again")

    def _is_healthy(self) -> bool:
        self.container.reload()
        return self.container.health == "healthy"


@pytest.fixture
def outage(outputs: StackOutputs) -> Iterator[Outage]:
    """The provider, once nobody else uses the environment; it is healthy again afterwards."""
    assert outputs.containers.sandbox
    client = client_of(os.environ)
    outage = Outage(client.containers.get(outputs.containers.sandbox))
    with use_of(outputs.environment, fcntl.LOCK_EX):
        try:
            yield outage
        finally:
            outage.recover()
    client.close()
