"""Moments of a command at which it is killed: seen by what it has done, never guessed from how long it takes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.data.restore_journal import Journal, Phase
from cli.data.snapshots.volume_swap import STAGED
from tests.system import damage
from tests.system.moments import TIMEOUT

if TYPE_CHECKING:
    import signal
    import subprocess
    from collections.abc import Awaitable, Callable

    import docker

    from tests.system.checkout import Checkout


async def killed_when(process: subprocess.Popen[bytes], reached: Callable[[], Awaitable[bool]]) -> None:
    """Kill a command with all that it started once something has come true; it must be alive then."""
    with damage.at_latest_killed(process):
        await _comes_to(process, reached)
    assert damage.was_killed(process)


async def ended_when(
    process: subprocess.Popen[bytes], reached: Callable[[], Awaitable[bool]], number: signal.Signals
) -> int:
    """Send a command a signal once something has come true; return its exit status."""
    with damage.at_latest_killed(process):
        await _comes_to(process, reached)
        process.send_signal(number)
        return process.wait(TIMEOUT)


async def _comes_to(process: subprocess.Popen[bytes], reached: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not await reached():
        assert not damage.ends_within(process, 0.01), f"exit status {process.returncode}"
        assert time.monotonic() < deadline, "it didn't come to the moment at which it is to end"


@dataclass
class Restore:
    """A restore of a snapshot, looked at from outside.

    Args:
        checkout: Where it runs.
        client: The engine.
    """

    checkout: Checkout
    client: docker.DockerClient
    switched: bool = False

    def phase(self) -> Phase | None:
        """Return how far it has come, as its journal says; None before and after."""
        noted = self._journal().read()
        return noted.phase if noted else None

    async def is_staging(self) -> bool:
        """Tell whether it has begun to bring the new data beside the old."""
        return self.phase() is Phase.STAGING

    async def is_opening(self) -> bool:
        """Tell whether a server runs on the new data, which is still beside the old."""
        postgres = self.client.containers.get(f"dashtam-{self.checkout.stack}-postgres")
        started = f"/var/lib/postgresql/data/{STAGED}/postmaster.pid"
        return self.phase() is Phase.STAGING and postgres.exec_run(["test", "-e", started]).exit_code == 0

    async def is_switching(self) -> bool:
        """Tell whether the new data begins to take the place of the old."""
        return self.phase() is Phase.SWAPPING

    async def is_stopping(self) -> bool:
        """Tell whether the services were stopped for that."""
        stopped = self.client.containers.get(f"dashtam-{self.checkout.stack}-postgres").status == "exited"
        return stopped and self.phase() is Phase.SWAPPING

    async def is_resuming(self) -> bool:
        """Tell whether the new data is in its place."""
        self.switched = self.switched or self.phase() is Phase.SWAPPING
        return self.switched and not self._journal().path.exists()

    def _journal(self) -> Journal:
        return Journal(self.checkout.home / "restoring" / f"{self.checkout.stack}.json")
